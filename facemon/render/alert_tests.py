"""promtool unit tests for every alert: each scenario on a timeline, with what must and must not fire at its turns.

A gauge is quiet for two samples, bad for as long as `for` asks, then quiet again. A counter runs from the
start and stops, so that the alert must end when the window has passed: a test of the window's length too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from math import ceil, gcd
from typing import Any, assert_never

from facemon.config.document import Config
from facemon.config.quantities import format_duration
from facemon.render.alert import Alert, rule
from facemon.render.annotation import expand
from facemon.render.promql import number, quoted
from facemon.render.scenario import Clock, Counter, Gauge, Scenario, Signal

_QUIET_SAMPLES = 2
_SAMPLES_PER_WINDOW = 5
_COARSEST_MS, _FINEST_MS = 60_000, 1000
_MOST_STEPS = 1000


@dataclass(frozen=True, slots=True)
class Grid:
    """The spacing of a test file, in milliseconds: evaluations, samples of counters, and the window of rates."""

    step: int
    window: int

    @property
    def counter_step(self) -> int:
        """Spacing of counters' samples."""
        return self.window // _SAMPLES_PER_WINDOW

    def held(self, alert: Alert) -> int:
        """How long after it turned bad an alert fires, on this grid."""
        return ceil(_ms(alert.for_) / self.step) * self.step


def alert_tests(alerts: tuple[Alert, ...], config: Config) -> dict[str, Any]:
    """The content of `tests/alert_rules_test.yml`."""
    grid = _grid(alerts, config)
    groups = [_group(alert, scenario, rule(alert, config), grid) for alert in alerts for scenario in alert.scenarios]
    silent = [alert for alert in alerts if alert.scenarios and not alert.fires_without_data]
    if silent:
        at = max(grid.held(alert) for alert in silent) + grid.step
        checks = [_check(at, alert, None) for alert in silent]
        groups.append({"name": "no data: silence", "interval": _text(grid.step), "input_series": [],
                       "alert_rule_test": checks})  # fmt: skip
    return {
        "rule_files": ["../recording_rules.yml", "../alert_rules.yml"],
        "evaluation_interval": _text(grid.step),
        "tests": groups,
    }


def _grid(alerts: tuple[Alert, ...], config: Config) -> Grid:
    window = _ms(config.prometheus.window)
    lengths = [_ms(alert.for_) for alert in alerts]
    coarse = gcd(_COARSEST_MS, window // _SAMPLES_PER_WINDOW)
    exact = max(gcd(coarse, *lengths), _FINEST_MS)
    # A grid on which every `for` is exact would take promtool minutes where lengths differ by thousands.
    step = exact if max(lengths) <= exact * _MOST_STEPS else max(coarse, _FINEST_MS)
    return Grid(step=step, window=window)


def _group(alert: Alert, scenario: Scenario, entry: dict[str, Any], grid: Grid) -> dict[str, Any]:
    runs = any(isinstance(signal, Counter) for signal in scenario.signals)
    spacing = grid.counter_step if runs else grid.step
    bad_samples = (grid.held(alert) // spacing) + _QUIET_SAMPLES + 1
    fires = _firing(scenario, entry)
    checks = _counter_checks if runs else _gauge_checks
    turns = checks(alert, grid, spacing, bad_samples, always=not scenario.signals, silent=fires is None)
    group: dict[str, Any] = {
        "name": f"{alert.name}: {scenario.title}",
        "interval": _text(spacing),
        "input_series": [
            {"series": signal.series, "values": _values(signal, bad_samples, spacing)} for signal in scenario.signals
        ],
    }
    if fires is None or "exp_annotations" in fires:
        group["alert_rule_test"] = [_check(at, alert, fires if firing else None) for at, firing in turns]
    else:
        group["promql_expr_test"] = [_state_check(at, alert, fires if firing else None) for at, firing in turns]
    return group


def _gauge_checks(
    alert: Alert, grid: Grid, spacing: int, bad_samples: int, *, always: bool, silent: bool
) -> Iterator[tuple[int, bool]]:
    turned = 0 if always else _QUIET_SAMPLES * spacing
    fires_at = turned + grid.held(alert)
    if fires_at:
        yield fires_at - grid.step, False
    yield fires_at, not silent
    if not always:
        yield turned + bad_samples * spacing, False


def _counter_checks(
    alert: Alert, grid: Grid, spacing: int, bad_samples: int, *, always: bool, silent: bool
) -> Iterator[tuple[int, bool]]:
    del always
    fires_at = spacing + grid.held(alert)
    stopped = (bad_samples - 1) * spacing
    yield fires_at - grid.step, False
    yield fires_at, not silent
    yield stopped + grid.window - 2 * spacing, not silent
    yield stopped + grid.window, False


def _values(signal: Signal, bad_samples: int, spacing: int) -> str:
    match signal:
        case Gauge(_, quiet, firing):
            phases = (_run(quiet, _QUIET_SAMPLES), _run(firing, bad_samples), _run(quiet, _QUIET_SAMPLES))
            return " ".join(phases)
        case Clock(_, quiet, firing):
            ends = (0, _QUIET_SAMPLES, _QUIET_SAMPLES + bad_samples, 2 * _QUIET_SAMPLES + bad_samples)
            ages = (quiet, firing, quiet)
            seconds = spacing / 1000
            return " ".join(
                f"{number(round(start * seconds - age, 3))}+{number(seconds)}x{end - start - 1}"
                for age, start, end in zip(ages, ends[:-1], ends[1:], strict=True)
            )
        case Counter(_, step):
            last = step * (bad_samples - 1)
            return f"0+{step}x{bad_samples - 1} {last}+0x{_SAMPLES_PER_WINDOW + 1}"
        case _:
            assert_never(signal)


def _run(level: float | None, samples: int) -> str:
    # Without the stale mark the last sample would be seen for five minutes more.
    return f"stale _x{samples - 1}" if level is None else f"{number(level)}+0x{samples - 1}"


def _firing(scenario: Scenario, entry: dict[str, Any]) -> dict[str, Any] | None:
    """The alert as promtool must see it; without annotations where only Prometheus can tell what they say."""
    if scenario.fires is None:
        return None
    labels, value = dict(scenario.fires.labels), scenario.fires.value
    texts = {name: expand(text, labels, value) for name, text in entry["annotations"].items()}
    own = {name: expand(text, labels, value) or "" for name, text in entry["labels"].items()}
    expected: dict[str, Any] = {"exp_labels": {**labels, **own}}
    if None not in texts.values():
        expected["exp_annotations"] = texts
    return expected


def _check(at: int, alert: Alert, fires: dict[str, Any] | None) -> dict[str, Any]:
    return {"eval_time": _text(at), "alertname": alert.name, "exp_alerts": [fires] if fires else []}


def _state_check(at: int, alert: Alert, fires: dict[str, Any] | None) -> dict[str, Any]:
    expr = f'ALERTS{{alertname="{alert.name}", alertstate="firing"}}'
    samples = []
    if fires:
        labels = {"alertname": alert.name, "alertstate": "firing", **fires["exp_labels"]}
        inside = ", ".join(f"{name}={quoted(value)}" for name, value in labels.items() if value)
        samples = [{"labels": f"ALERTS{{{inside}}}", "value": 1}]
    return {"expr": expr, "eval_time": _text(at), "exp_samples": samples}


def _ms(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)


def _text(milliseconds: int) -> str:
    return format_duration(timedelta(milliseconds=milliseconds))
