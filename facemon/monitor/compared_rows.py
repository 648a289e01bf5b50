"""Rows in memory that become a reference, or are compared with one, as the commands do it with a table's."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from facemon.config.document import Config
from facemon.drift.check_of_record import NOT_THE_LOG
from facemon.drift.column_kinds import refuse_unclear_columns
from facemon.drift.column_shapes import column_shapes
from facemon.drift.drift_check import run_checks
from facemon.drift.reference_sample import choose_reference, count_once, reference_sample, side_of
from facemon.drift.tables import count_sample
from facemon.errors import ExitCode, FacemonError
from facemon.monitor.foreign_rows import one_table
from facemon.reports.html_report import html_report
from facemon.store.command_runs import Outcome, recorded
from facemon.store.drift_results import record_drift
from facemon.store.layout import LEDGER_NAME
from facemon.store.ledger import Ledger
from facemon.store.process_lock import ProcessLock
from facemon.store.references import Reference, no_reference, set_from_table
from facemon.store.report_files import keep_page_of_record
from facemon.tables.table_file import table_of
from facemon.values.column_shape import ColumnShape
from facemon.values.drift_result import Check, DriftResult, Side, Verdict

_KINDS = ("predictions", "labels")
_ROWS = "rows"
"""What messages call a table that has no name."""
_GIVEN_AS = "facemon.Monitor"
_CODES = {
    Verdict.OK: ExitCode.OK,
    Verdict.DRIFT: ExitCode.FOUND,
    Verdict.UNDECIDED: ExitCode.UNDECIDED,
}


def make_reference(config: Config, rows: Any, *, name: str | None, kind: str, note: str) -> Reference:
    """Make the rows a reference of the store; FacemonError where the name is taken."""
    if kind not in _KINDS:
        raise FacemonError(f"kind {kind!r} is neither predictions nor labels")
    table = table_of(one_table(rows), _ROWS).read()
    refuse_unclear_columns(table, _ROWS, config.model.attributes, config.tables)
    with (
        Ledger.open(config.store.path, create=True, mode=config.store.mode) as ledger,
        recorded(ledger, "reference") as outcome,
    ):
        now = ledger.now()
        chosen = name or f"{now:%Y-%m-%dT%H:%M:%SZ}"
        made = set_from_table(ledger, chosen, table, kind=kind, note=note, now=now, given_as=_GIVEN_AS)
        count_once(ledger, made, attributes=config.model.attributes, tables=config.tables)
        outcome.code = ExitCode.OK
    return made


def check_rows(
    config: Config, rows: Any, *, reference: str | None, checks: Iterable[str], by_source: bool, record: bool
) -> DriftResult:
    """Compare the rows with a reference of the store; only with `record` does the ledger change."""
    own = _own_checks(checks)
    current = table_of(one_table(rows), _ROWS)
    attributes, tables, settings = config.model.attributes, config.tables, config.drift
    with _entered(config, record=record) as (ledger, outcome):
        normal = choose_reference(ledger, reference or settings.reference, config.model.id)
        first, layout = reference_sample(
            ledger, normal, attributes=attributes, tables=tables, checks=own, layout=None, keeps_counts=record
        )
        second = count_sample(current, attributes=attributes, tables=tables, layout=layout, checks=own)
        result = run_checks(
            first,
            second,
            checks=own,
            attributes=attributes,
            settings=settings,
            at=ledger.now(),
            reference_side=side_of(normal),
            current_side=Side(second.rows),
            model=config.model.id,
            by_source=by_source,
        )
        if record:
            record_drift(ledger, result)
            _keep_page(config, ledger, result, column_shapes(result.checks, first, second, layout.edges))
        outcome.code = _CODES[result.verdict]
    return result if record else replace(result, not_recorded_because=NOT_THE_LOG)


def _keep_page(
    config: Config, ledger: Ledger, result: DriftResult, shapes: Mapping[tuple[Check, str], ColumnShape]
) -> None:
    """Write the page of a check of record; one that cannot be written is a warning, and changes no verdict."""
    store = config.store
    try:
        days = None if ledger.clock.doubt() else store.retention_days
        keep_page_of_record(store.path, result.at, html_report(result, shapes), days)
    except FacemonError as error:
        warnings.warn(error.message, stacklevel=4)


@contextmanager
def _entered(config: Config, *, record: bool) -> Iterator[tuple[Ledger, Outcome]]:
    """The ledger of a check, and how it ends: entered there where it counts, which one check at a time may do."""
    folder = config.store.path
    if not (record or (folder / LEDGER_NAME).exists()):
        raise no_reference()
    with Ledger.open(folder, create=record, mode=config.store.mode) as ledger:
        if not record:
            yield ledger, Outcome()
            return
        with ProcessLock.for_command(ledger.folder, "drift-check"), recorded(ledger, "drift-check") as outcome:
            yield ledger, outcome


def _own_checks(names: Iterable[str]) -> list[Check]:
    """The checks of these names; FacemonError for others, and for none."""
    given = [names] if isinstance(names, str) else list(names)
    known = [Check.DATA, Check.MODEL]
    for name in given:
        if name not in known:
            hint = "facemon drift-check --check evidently writes its report" if name == Check.EVIDENTLY else None
            raise FacemonError(f"there is no check {name!r} of rows, only data and model", hint)
    if not given:
        raise FacemonError("no check is asked for", "name data, model or both")
    return [check for check in known if check in given]
