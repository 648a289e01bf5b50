"""Simulated samples through a whole check, and the lines that tell how often it alarms or finds what moved."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from benchmarks.machine import Line
from benchmarks.shares import Share, percent
from facemon.config.drift import DriftConfig
from facemon.config.model import AttributeConfig
from facemon.domain.drift_result import Check, CheckResult, ColumnResult, DriftResult, Side, Verdict
from facemon.drift.drift_check import run_checks
from facemon.drift.sample import Sample
from facemon.drift.window_ladder import Ladder, WindowRows, rungs_of, sources_to_judge

DEFAULTS = DriftConfig()
ALARM_LIMIT = 0.05
NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
DAY = timedelta(days=1)
_UNKNOWN = Side(0)


def binary_attributes(names: Collection[str]) -> tuple[AttributeConfig, ...]:
    """Attributes of the labels `no` and `yes`."""
    return tuple(AttributeConfig(name=name, output="out", kind="binary", labels=("no", "yes")) for name in names)


def judged(
    reference: Sample,
    current: Sample,
    attributes: Sequence[AttributeConfig],
    *,
    checks: Collection[Check] = (Check.MODEL,),
    ladder: Ladder | None = None,
    settings: DriftConfig = DEFAULTS,
) -> DriftResult:
    """The outcome of `run_checks` at the default settings."""
    return run_checks(
        reference,
        current,
        checks=checks,
        attributes=attributes,
        settings=settings,
        at=NOW,
        reference_side=_UNKNOWN,
        current_side=_UNKNOWN,
        ladder=ladder,
    )


def one_rung(reference: Sample, current: Sample) -> Ladder:
    """A ladder of one window, so that its sources are judged too."""
    (rung,) = rungs_of(NOW - DAY, NOW, widen_to=DAY)
    return Ladder((WindowRows(rung, current),), 1, dict.fromkeys(sources_to_judge(reference, current), 1))


def columns_of(result: DriftResult) -> Iterator[ColumnResult]:
    """The columns of all checks, of the whole and of the sources."""
    checks: list[CheckResult] = [*result.checks.values()]
    for part in result.sources:
        checks += part.checks.values()
    for check in checks:
        yield from check.columns


def alarms_at_zero(result: DriftResult) -> bool:
    """Whether the check would alarm if every score reached its threshold."""
    return any(
        column.p_adjusted is not None and column.p_adjusted <= DEFAULTS.significance for column in columns_of(result)
    )


def drifted(result: DriftResult) -> frozenset[str]:
    """The columns of the whole that drifted."""
    return frozenset(
        column.column for check in result.checks.values() for column in check.columns if column.verdict is Verdict.DRIFT
    )


def alarm_line(what: str, shares: Sequence[Share], note: str = "") -> Line:
    """A line of shares of alarms, each of which must not exceed the limit by more than chance."""
    value = " / ".join(percent(share.value) for share in shares)
    reached = all(share.interval[0] <= ALARM_LIMIT for share in shares)
    said = f"intervals {', '.join(share.shown_interval for share in shares)}"
    return Line(what, value, "≤ 5 %, within chance", reached, f"{said}; {note}" if note else said)


def found_line(what: str, shares: Sequence[Share], wanted: float, note: str = "") -> Line:
    """A line of shares of what was found, each of which must not fall short by more than chance."""
    value = " / ".join(percent(share.value) for share in shares)
    reached = all(share.interval[1] >= wanted for share in shares)
    said = f"intervals {', '.join(share.shown_interval for share in shares)}"
    return Line(what, value, f"≥ {percent(wanted)}, within chance", reached, f"{said}; {note}" if note else said)
