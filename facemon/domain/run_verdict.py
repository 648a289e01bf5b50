"""The verdict of a run: over the checks of the whole, and over its sources."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter

from facemon.domain.drift_result import Check, CheckResult, DriftResult, SourceResult, Verdict, overall

_HALF = 0.5


def verdict_over(whole: Mapping[Check, CheckResult], parts: Sequence[SourceResult]) -> Verdict:
    """Drift of the whole or of a source; undecided if the whole is, or sources that hold half of the rows."""
    verdicts = [outcome.verdict for outcome in whole.values()]
    if Verdict.DRIFT in (part.verdict for part in parts):
        return Verdict.DRIFT
    if hold_half([part for part in parts if part.verdict is Verdict.UNDECIDED], parts):
        verdicts.append(Verdict.UNDECIDED)
    return overall(verdicts)


def hold_half(some: Sequence[SourceResult], parts: Sequence[SourceResult]) -> bool:
    """Whether some of the sources hold half of the rows of all, on either side."""
    counts = attrgetter("reference_rows"), attrgetter("current_rows")
    return bool(some) and any(sum(map(rows, some)) >= _HALF * sum(map(rows, parts)) for rows in counts)


def of_checks(result: DriftResult, checks: Collection[Check]) -> DriftResult:
    """The result with some of its checks alone, of the whole and of each source; the verdict is over these."""
    kept = {check: outcome for check, outcome in result.checks.items() if check in checks}
    sources = []
    for each in result.sources:
        own = {check: outcome for check, outcome in each.checks.items() if check in checks}
        if own:
            verdict = overall(outcome.verdict for outcome in own.values())
            sources.append(replace(each, checks=own, verdict=verdict))
    return replace(result, checks=kept, sources=tuple(sources), verdict=verdict_over(kept, sources))
