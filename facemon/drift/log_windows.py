"""The windows of the log that a check compares, read from the shortest on and no further than needed."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from facemon.config.drift import DriftConfig
from facemon.config.model import AttributeConfig
from facemon.domain.drift_result import Check
from facemon.domain.labelled import LabelledCount
from facemon.domain.source_buckets import SourceProfiles, add_source_profiles
from facemon.drift.accuracy import with_accuracy
from facemon.drift.compared_columns import ComparedColumn, compared_columns
from facemon.drift.sample import Sample
from facemon.drift.window_cut import CutWindow
from facemon.drift.window_ladder import Ladder, Rung, climb, rungs_of
from facemon.store.ledger.protocol import Ledger as Store
from facemon.store.windows import read_sources

_DAY = timedelta(days=1)


def read_log_windows(
    store: Store,
    cut: CutWindow,
    reference: Sample,
    *,
    model: str,
    source: str | None,
    checks: Collection[Check],
    attributes: Sequence[AttributeConfig],
    settings: DriftConfig,
    labels: Sequence[LabelledCount],
    widen_to: timedelta,
    not_before: datetime | None,
) -> Ladder:
    """Read the window that `cut` left and longer ones, up to `widen_to` and not before the reference's end.

    Where one `source` is wanted the others are not judged.
    """
    # An empty span has no rows, whatever the log holds.
    end = cut.since if cut.empty_because else cut.until
    read = _reader(store, end, model, source, labels)

    def columns(sample: Sample) -> list[tuple[Check, ComparedColumn]]:
        return [
            (check, column)
            for check in checks
            for column in compared_columns(check, attributes, reference, sample, settings)
        ]

    rungs = rungs_of(cut.since, cut.until, widen_to=widen_to, not_before=not_before)
    return climb(reference, rungs, read, columns, settings, judges_sources=source is None)


def _reader(
    store: Store, end: datetime, model: str, source: str | None, labels: Sequence[LabelledCount]
) -> Callable[[Rung], Sample]:
    """A function that reads one rung after the other, and of each only the rows that the one before lacks."""
    found, start = SourceProfiles({}), end

    def read(rung: Rung) -> Sample:
        nonlocal found, start
        more = read_sources(store, rung.since, start, model=model, source=source, with_spreads=True)
        found, start = add_source_profiles(found, more), min(start, rung.since)
        sample = with_accuracy(Sample.of_profiles(found, days=(end - rung.since) / _DAY), labels)
        return sample if source is None else sample.of_source(source)

    return read
