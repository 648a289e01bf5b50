"""Why the columns of one name got their verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from facemon.config.drift import DriftConfig
from facemon.domain.array_types import Floats
from facemon.domain.drift_result import Check, CheckResult, DriftResult, Verdict
from facemon.domain.explanation import Explanation
from facemon.drift.column_shapes import column_shapes
from facemon.drift.lacking_rows import lacking_rows
from facemon.drift.sample import Sample
from facemon.errors import UsageError
from facemon.near_names import nearest_names


def explain(
    result: DriftResult,
    name: str,
    reference: Sample,
    current: Sample,
    *,
    settings: DriftConfig,
    edges: Mapping[str, Floats],
    windows: Mapping[str, Sample] = MappingProxyType({}),
) -> list[Explanation]:
    """Explain a column, or all columns of an attribute, of one result; distributions come from the samples.

    `windows` are those of other lengths than `current`.
    """
    found = {
        check: [column for column in outcome.columns if name in (column.column, column.attribute)]
        for check, outcome in result.checks.items()
    }
    own: dict[Check, CheckResult] = {
        check: replace(result.checks[check], columns=tuple(columns)) for check, columns in found.items() if check.is_own
    }
    shapes = column_shapes(own, reference, current, edges, windows)
    lacking = {
        (check, name): rows
        for check, columns in own.items()
        if any(column.verdict is Verdict.UNDECIDED for column in columns.columns)
        for name, rows in lacking_rows(result, check, found[check], reference, current, settings).items()
    }
    return [
        Explanation(
            check,
            column,
            shapes.get((check, column.column)),
            lacking.get((check, column.column)),
            result.at,
            result.recorded,
        )
        for check, columns in found.items()
        for column in columns
    ]


def refuse_unknown_column(results: Sequence[DriftResult], name: str) -> None:
    """UsageError where no result has a column, or columns of an attribute, of that name."""
    columns = [column for result in results for outcome in result.checks.values() for column in outcome.columns]
    if any(name in (column.column, column.attribute) for column in columns):
        return
    known = {column.column for column in columns}
    near = nearest_names(name, known, most=3)
    hint = f"the nearest are {', '.join(near)}" if near else f"there are {', '.join(sorted(known))}"
    raise UsageError(f"--explain {name}: no column of that name was compared", hint)
