"""Which reference a comparison takes, and the sample of its rows."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace

from facemon.config.drift import TablesConfig
from facemon.config.model import AttributeConfig
from facemon.domain.drift_result import Check, Side
from facemon.domain.profile import OTHER
from facemon.domain.source_buckets import SourceProfiles
from facemon.drift.accuracy import with_accuracy
from facemon.drift.counted_sample import counting_key, decode_counted, encode_counted
from facemon.drift.log_table import read_log_hours, read_log_table
from facemon.drift.sample import Sample
from facemon.drift.strange_cells import strange_warnings
from facemon.drift.tables import LOG_LAYOUT, TableLayout, read_reference, read_sample
from facemon.errors import FacemonError, UsageError
from facemon.store.ledger.protocol import Ledger
from facemon.store.named_reference import Reference
from facemon.store.reference_counts import keep_counts, read_counts
from facemon.store.reference_spreads import with_spreads
from facemon.store.references import (
    find_reference,
    list_references,
    reference_file,
    reference_profiles,
    reference_spreads,
)
from facemon.tables.table_file import open_table

_ALL_CHECKS = (Check.DATA, Check.MODEL)


def choose_reference(ledger: Ledger, name: str | None, model: str) -> Reference:
    """The named reference, or the newest that fits the model; UsageError for one of another model."""
    found = find_reference(ledger, name)
    if name is None:
        found = next((each for each in list_references(ledger) if each.model in (None, model)), found)
    if found.model not in (None, model):
        raise UsageError(
            f"the reference {found.name!r} holds predictions of {found.model}, not of {model}",
            f"set one of this model with facemon reference set, or ask for the other's rows with --model {found.model}",
        )
    return found


def usual_reference(ledger: Ledger, configured: str | None, model: str) -> str | None:
    """The name of the reference that a check takes by default; none where that would fail."""
    try:
        return choose_reference(ledger, configured, model).name
    except FacemonError:
        return None


def reference_sample(
    ledger: Ledger,
    reference: Reference,
    *,
    attributes: Sequence[AttributeConfig],
    tables: TablesConfig,
    checks: Collection[Check],
    layout: TableLayout | None,
    source: str | None = None,
    keeps_counts: bool = False,
) -> tuple[Sample, TableLayout]:
    """A reference's sample, and the layout that the other side is to be counted in.

    A window's rows were counted in the log's bins. A table's are counted in `layout`, or without one in quantiles
    of its own; the counts that an earlier check kept in the ledger are taken, and with `keeps_counts` those of this
    one are kept. `source`, which needs a layout, is that of `rows_of_table`.
    """
    if reference.origin == "file":
        path = reference_file(ledger, reference)
        if layout is None:
            return _counted_once(
                ledger, reference, attributes=attributes, tables=tables, checks=checks, keeps=keeps_counts
            )
        sample = read_sample(path, attributes=attributes, tables=tables, layout=layout, checks=checks, source=source)
        return sample, layout
    sample = _window_sample(ledger, reference, source)
    if reference.model and (hours := hours_of(reference)):
        sample = with_accuracy(sample, ledger.evaluations.labelled(reference.model, *hours))
    return sample, LOG_LAYOUT


def _window_sample(ledger: Ledger, reference: Reference, source: str | None) -> Sample:
    """The sample of a reference from the log; of one `source` its rows need not be counted with the others'."""
    profiles, spreads = reference_profiles(ledger, reference), reference_spreads(ledger, reference)
    _refuse_removed(ledger, reference)
    # Rows of sources that had no place in their hour may be there, unless there are spreads: then the rows tell.
    if OTHER in profiles and not spreads.by_source:
        file = open_table(reference_file(ledger, reference))
        hours = read_log_hours(file, source)
        if hours is None or reference.since is None or reference.until is None:
            return read_log_table(file, source)
        profiles, spreads = with_spreads(hours, reference.since, reference.until)
    apart = SourceProfiles(profiles, spreads=spreads.by_source)
    found = apart if source is not None else SourceProfiles.bounded(profiles, spreads.by_source)
    return replace(Sample.of_profiles(found), whole_days={} if found.bucketed else spreads.whole_days)


def _refuse_removed(ledger: Ledger, reference: Reference) -> None:
    """FacemonError where another process has removed the reference, so that what was read of it may be nothing."""
    if all(each.id != reference.id for each in list_references(ledger)):
        raise FacemonError(f"reference {reference.name!r} was removed meanwhile", "run this command again")


def count_once(
    ledger: Ledger, reference: Reference, *, attributes: Sequence[AttributeConfig], tables: TablesConfig
) -> list[str]:
    """Count a table that has just become a reference, and keep that: a look, which keeps nothing, need not count.

    Return what to warn of: cells that are not labels. What cannot be counted is left to the check, which says why.
    """
    with suppress(FacemonError):
        found = _counted_once(ledger, reference, attributes=attributes, tables=tables, checks=_ALL_CHECKS, keeps=True)
        return strange_warnings(found[0])
    return []


def _counted_once(
    ledger: Ledger,
    reference: Reference,
    *,
    attributes: Sequence[AttributeConfig],
    tables: TablesConfig,
    checks: Collection[Check],
    keeps: bool,
) -> tuple[Sample, TableLayout]:
    """A reference's table in quantiles of its own; where it `keeps` the counts, damaged ones are replaced."""
    key = counting_key(attributes, tables, checks)
    # The counts of all columns serve for a check of some of them, too.
    for known in dict.fromkeys((key, counting_key(attributes, tables, _ALL_CHECKS))):
        kept = read_counts(ledger, reference, known)
        if kept is not None and (counted := decode_counted(kept)) is not None:
            return counted
    path = reference_file(ledger, reference)
    sample, layout = read_reference(path, attributes=attributes, tables=tables, checks=checks)
    if keeps:
        keep_counts(ledger, reference, key, encode_counted(sample, layout))
    return sample, layout


def side_of(reference: Reference) -> Side:
    """What a result tells of the reference."""
    return Side(reference.rows, reference.name, reference.kind, reference.since, reference.until)


def hours_of(reference: Reference | None) -> tuple[int, int] | None:
    """The first hour of a reference's window, and that after its last; labels are kept by the hour."""
    return None if reference is None else reference.hours
