"""A check of a window that lacks rows which a repair dropped: it may find drift, but cannot clear."""

from dataclasses import replace

from facemon.domain.drift_result import CheckResult, ColumnResult, DriftResult, Verdict


def with_lost_rows(result: DriftResult, rows: int) -> DriftResult:
    """The result of a window of which up to `rows` rows are lost: what was ok is undecided, drift stays drift."""
    if not rows:
        return result
    were = "1 row of this window was" if rows == 1 else f"Up to {rows:,} rows of this window were"
    note = f"{were} damaged and dropped from the log by facemon store repair: the rows that are left cannot clear it."
    sources = tuple(
        replace(
            each,
            verdict=_unclear(each.verdict),
            checks={check: _unclear_check(outcome) for check, outcome in each.checks.items()},
        )
        for each in result.sources
    )
    checks = {check: _unclear_check(outcome) for check, outcome in result.checks.items()}
    return replace(
        result, verdict=_unclear(result.verdict), checks=checks, sources=sources, notes=(*result.notes, note)
    )


def _unclear_check(outcome: CheckResult) -> CheckResult:
    return replace(outcome, verdict=_unclear(outcome.verdict), columns=tuple(map(_unclear_column, outcome.columns)))


def _unclear_column(column: ColumnResult) -> ColumnResult:
    if column.verdict is not Verdict.OK:
        return column
    return replace(column, verdict=Verdict.UNDECIDED, reason="rows of this window are lost")


def _unclear(verdict: Verdict) -> Verdict:
    return Verdict.UNDECIDED if verdict is Verdict.OK else verdict
