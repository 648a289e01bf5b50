"""How far one reference is from another, column by column."""

from collections.abc import Sequence

from facemon.config.drift import DriftConfig, TablesConfig
from facemon.config.model import AttributeConfig
from facemon.domain.drift_result import Check, ColumnResult
from facemon.drift.compared_columns import compared_columns
from facemon.drift.comparison import ComparedGroup, compare_groups
from facemon.drift.expected_columns import ExpectedColumns
from facemon.drift.reference_sample import reference_sample
from facemon.drift.tables import LOG_LAYOUT
from facemon.store.ledger.protocol import Ledger
from facemon.store.named_reference import Reference

_CHECKS = (Check.DATA, Check.MODEL)


_LISTED = ExpectedColumns(needs_attributes=False)
"""References may be of models with different attributes."""


def diff_references(
    ledger: Ledger,
    first: Reference,
    second: Reference,
    *,
    attributes: Sequence[AttributeConfig],
    tables: TablesConfig,
    settings: DriftConfig,
) -> list[tuple[Check, ColumnResult]]:
    """The columns of both checks, judged as if `second` were current data; the largest score first, none last.

    Two tables are compared in quantiles of the first, anything else in the log's bins.
    """
    fixed = LOG_LAYOUT if second.origin == "window" else None
    normal, layout = reference_sample(ledger, first, attributes=attributes, tables=tables, checks=_CHECKS, layout=fixed)
    latest, _ = reference_sample(ledger, second, attributes=attributes, tables=tables, checks=_CHECKS, layout=layout)
    found = []
    for check in _CHECKS:
        columns = compared_columns(check, attributes, normal, latest, settings)
        (outcome,) = compare_groups(
            [ComparedGroup.of(normal, latest)], columns=columns, settings=settings, check=check, expected=_LISTED
        )
        found += [(check, column) for column in outcome.columns]
    return sorted(found, key=lambda entry: -1.0 if entry[1].score is None else entry[1].score, reverse=True)
