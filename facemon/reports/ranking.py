"""Which columns a reader sees first: drifted, undecided, then those with nothing to say."""

from collections.abc import Mapping

from facemon.domain.drift_result import Check, CheckResult, ColumnResult, Verdict

ORDER = (Verdict.DRIFT, Verdict.UNDECIDED, Verdict.OK, Verdict.NOT_COMPARED)


def ranked(checks: Mapping[Check, CheckResult]) -> list[tuple[Check, ColumnResult]]:
    """The columns of all checks by `ORDER`, those of one verdict as they come."""
    columns = [(check, column) for check, outcome in checks.items() for column in outcome.columns]
    return sorted(columns, key=lambda entry: ORDER.index(entry[1].verdict))


def telling(checks: Mapping[Check, CheckResult]) -> list[tuple[Check, ColumnResult]]:
    """The drifted and undecided columns alone, in that order."""
    return [entry for entry in ranked(checks) if entry[1].verdict in (Verdict.DRIFT, Verdict.UNDECIDED)]
