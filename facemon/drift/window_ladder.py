"""Which windows of the log a check compares: the configured one, and longer ones where it holds too few rows.

Few images a day decide nothing by the day, but they do over a week. Every window up to the longest in use is tested;
any of them may find drift, and only the longest clears a column. How long that is follows from row counts and the
reference's shares, never from what the current rows hold, so that it cannot bend a test's level.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from facemon.config.drift import DriftConfig
from facemon.domain.drift_result import Check
from facemon.domain.times import span_name
from facemon.drift.compared_columns import ComparedColumn, threshold_of
from facemon.drift.quiet_reach import KnownVariances, QuietColumn, column_worths, decides, quiet_variances
from facemon.drift.sample import Sample, alike

LONGEST = timedelta(days=28)
"""The longest window that any setting is advised to take."""
_DAYS = (2, 4, 7, 14, LONGEST.days)
MOST_SOURCES = 64
"""Sources with rows in the window that are judged one by one: those with the most rows. Silent ones are beside them."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A window that ends where the configured one does."""

    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class WindowRows:
    """The rows of a rung."""

    rung: Rung
    sample: Sample


@dataclass(frozen=True, slots=True)
class Ladder:
    """The windows that were read, from the shortest on, and how many of them are in use."""

    windows: tuple[WindowRows, ...]
    whole: int
    """Windows in use for all rows together."""
    sources: Mapping[str | None, int]
    """Windows in use for each source that is judged."""

    @property
    def longest(self) -> WindowRows:
        """The longest window of all rows together: the one that clears."""
        return self.windows[self.whole - 1]


def spans_of(window: timedelta, widen_to: timedelta) -> tuple[timedelta, ...]:
    """Return how long the windows are that a check may take: the configured one, then 2 to 28 days up to `widen_to`."""
    if window >= widen_to:
        return (window,)
    return (window, *(span for days in _DAYS if window < (span := timedelta(days=days)) < widen_to), widen_to)


def rungs_of(
    since: datetime, until: datetime, *, widen_to: timedelta, not_before: datetime | None = None
) -> tuple[Rung, ...]:
    """The window `[since, until)` and the longer ones up to `widen_to`, which do not begin before `not_before`.

    That is the end of the reference: the last window begins there, where the reference cuts it.
    """
    found = [Rung(span_name(until - since), since)]
    if not_before is not None and since <= not_before:
        return tuple(found)
    for span in spans_of(until - since, widen_to)[1:]:
        start = until - span if not_before is None else max(until - span, not_before)
        if start < found[-1].since:
            found.append(Rung(span_name(until - start), start))
    return tuple(found)


def climb(
    reference: Sample,
    rungs: Sequence[Rung],
    read: Callable[[Rung], Sample],
    columns: Callable[[Sample], Sequence[tuple[Check, ComparedColumn]]],
    settings: DriftConfig,
    *,
    judges_sources: bool,
) -> Ladder:
    """Read windows until the whole and each source can be decided, or there are no longer ones.

    `read` returns the rows of a rung, one after the other; `columns` says what is compared.
    """
    first = read(rungs[0])
    windows = [WindowRows(rungs[0], first)]
    judged = sources_to_judge(reference, first) if judges_sources and not first.bucketed else ()
    in_use: dict[str | None, int] = dict.fromkeys(judged, 1)
    heard = [name for name in judged if name in first.by_source]
    whole, is_waiting, waiting = 1, True, set(heard)
    if len(rungs) == 1:  # whether more rows would decide changes nothing
        return Ladder(tuple(windows), whole, in_use)
    compared = columns(first)
    known: KnownVariances = {}
    known_apart = quiet_variances(reference, heard, [column.name for _, column in compared])
    for rung in rungs[1:]:
        sample = windows[-1].sample
        is_waiting = is_waiting and _needs_more(reference, sample, compared, settings, known)
        waiting = {
            name
            for name in waiting
            if _needs_more(reference.of_source(name), sample.of_source(name), compared, settings, known_apart[name])
        }
        if not (is_waiting or waiting):
            break
        windows.append(WindowRows(rung, read(rung)))
        whole = len(windows) if is_waiting else whole
        in_use |= dict.fromkeys(waiting, len(windows))
    return Ladder(tuple(windows), whole, in_use)


def sources_to_judge(reference: Sample, current: Sample) -> tuple[str | None, ...]:
    """The sources of either side that are judged by themselves, by name, rows without one last.

    Without any named source there are none. Those that the reference has and the current rows lack are all there: to
    see that a source is silent takes no test. Of too many others there are those with the most rows.
    """
    rows = {
        name: sum(sample.by_source[name].images for sample in (reference, current) if name in sample.by_source)
        for name in {*reference.by_source, *current.by_source}
    }
    if reference.bucketed or current.bucketed or set(rows) <= {None}:
        return ()
    heard = rows.keys() & current.by_source.keys()
    largest = sorted(heard, key=lambda name: (-rows[name], name or ""))[:MOST_SOURCES]
    silent = [name for name in rows.keys() - heard if rows[name]]
    return tuple(sorted([*largest, *silent], key=lambda name: (name is None, name or "")))


def _needs_more(
    reference: Sample,
    current: Sample,
    columns: Collection[tuple[Check, ComparedColumn]],
    settings: DriftConfig,
    known: KnownVariances,
) -> bool:
    """Whether more rows would make a quiet run decide; a window without any rows stays what it is: silent."""
    if not current.rows or not reference.rows:
        return False
    reference, current = alike(reference, current)
    asked = quiet_columns(reference, columns, settings)
    worths = column_worths(reference, current, [each.name for each in asked], settings, known)
    return not decides(worths, asked, settings)


def quiet_columns(
    reference: Sample, columns: Collection[tuple[Check, ComparedColumn]], settings: DriftConfig
) -> list[QuietColumn]:
    """Return the columns that the reference holds, with the thresholds that the check compares their scores with."""
    return [
        QuietColumn(column.name, threshold_of(column, check, settings))
        for check, column in columns
        if reference.column(column.name) is not None
    ]
