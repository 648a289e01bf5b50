"""Which checks of a drift result its verdict and its exit code follow."""

from collections.abc import Mapping

from facemon.domain.drift_result import Check, CheckResult, ColumnResult


def deciding_checks(checks: Mapping[Check, CheckResult]) -> dict[Check, CheckResult]:
    """Those of facemon; Evidently's only where nothing else was asked for."""
    has_own = any(check.is_own for check in checks)
    return {check: outcome for check, outcome in checks.items() if check.is_own or not has_own}


def deciding_columns(checks: Mapping[Check, CheckResult]) -> list[ColumnResult]:
    """The columns of the deciding checks."""
    return [column for outcome in deciding_checks(checks).values() for column in outcome.columns]
