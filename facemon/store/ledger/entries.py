"""What a ledger keeps, part by part, in the words of the store: each part as a Protocol that an implementation follows.

Methods that change something are called inside of `Ledger.writing()`, and take part in its transaction. Times are
microseconds since 1970 in UTC where they are an int, and hours are counted from 1970.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from facemon.domain.clock_judgement import SeenTime
    from facemon.domain.drift_result import DriftResult
    from facemon.domain.labelled import LabelledCount, LabelledImage
    from facemon.domain.profile import Profile, ProfileKey
    from facemon.store.accuracy import Accuracy
    from facemon.store.arrivals import Arrivals, RowsByHour
    from facemon.store.command_run import CommandRun
    from facemon.store.drift_states import CheckState, DriftedColumn, DriftGauge, SourceState
    from facemon.store.named_reference import Reference, ReferenceSpreads, RemovedReference
    from facemon.store.run_state import RunIdentity, RunState
    from facemon.store.segment import NewSegment, Segment
    from facemon.store.totals import TotalKey, Totals


class SegmentRecords(Protocol):
    """The segments of the log."""

    def within(self, since: int | None = None, until: int | None = None, model: str | None = None) -> "list[Segment]":
        """Return the segments with rows observed in `[since, until)`, oldest first."""

    def has(self, segment: str) -> bool:
        """Whether a segment is registered."""

    def data(self, segment: str) -> bytes | None:
        """Return the bytes of a segment without a file; None where the segment is not registered, or has a file."""

    def register(self, segments: "Iterable[NewSegment]") -> None:
        """Enter segments, and take back the intents of their files."""

    def remove(self, segments: "Iterable[Segment]") -> None:
        """Take segments out of the log; what they added to sums stays."""

    def keep_last_predicted(self, segment: str, at: int) -> None:
        """Enter when the last row of a segment was predicted, which older versions did not keep."""

    def models(self) -> list[str]:
        """Return the models that the log has rows of, sorted."""

    def first_observed(self, model: str) -> int | None:
        """Return when the first row of a model was observed; None without rows."""


class FileRecords(Protocol):
    """Files that are not yet, or no longer, part of the log."""

    def intend(self, writer: str, paths: Iterable[tuple[str, str]]) -> None:
        """Enter the names and paths of files that a writer is about to write."""

    def writers(self) -> list[str]:
        """Return the writers that have intents."""

    def intended_by(self, writer: str) -> list[str]:
        """Return the paths of a writer's files that are not registered."""

    def forget_writer(self, writer: str) -> None:
        """Remove all intents of a writer."""

    def give_up(self, paths: Iterable[str], at: int) -> None:
        """Enter files that no segment names any more; `at` is in seconds since 1970."""

    def given_up_before(self, at: int) -> list[str]:
        """Return the files that were given up before a time, in seconds since 1970."""

    def given_up(self) -> set[str]:
        """Return all files that were given up and may still be there."""

    def forget_given_up(self, paths: Iterable[str]) -> None:
        """Remove the entries of files that are gone."""

    def known(self) -> set[str]:
        """Return the paths of all files that the ledger names: of segments, intents and files given up."""


class TotalRecords(Protocol):
    """The totals, and `departed`: what of them was added by rows that are no longer in the log."""

    def read(self) -> "Totals":
        """Return all totals."""

    def departed(self) -> "Totals":
        """Return what rows that are gone had added."""

    def add(self, totals: "Mapping[TotalKey, float]") -> None:
        """Add to the totals."""

    def depart(self, totals: "Mapping[TotalKey, float]") -> None:
        """Count what rows that leave the log had added."""

    def take_back_departed(self, totals: "Mapping[TotalKey, float]") -> None:
        """Undo `depart` for rows that are in the log again."""


class StoredProfile(Protocol):
    """A profile in the bytes of the ledger, which are fewer than those of an unpacked one."""

    def unpacked(self) -> "Profile":
        """Return the profile; DatabaseError where its bytes are damaged."""


class ProfileRecords(Protocol):
    """The profile of each hour, model, source and origin."""

    def add(self, profiles: "Mapping[ProfileKey, Profile]") -> None:
        """Add the profiles of new rows to those of their hours."""

    def subtract(self, profiles: "Mapping[ProfileKey, Profile]") -> None:
        """Take the profiles of rows that go out of those of their hours."""

    def replace(self, hours: Iterable[tuple[int, str, str]], profiles: "Mapping[ProfileKey, Profile]") -> None:
        """Put the profiles of all rows of some (hour, model, origin) in the place of those that are kept."""

    def as_counted(self, profiles: "Mapping[ProfileKey, Profile]") -> "dict[ProfileKey, Profile]":
        """Return profiles of rows that were added before, under the sources that they are counted under."""

    def hours(self, first_hour: int, end_hour: int, model: str) -> "Iterator[tuple[ProfileKey, Profile]]":
        """Yield the profiles of a model for the hours `[first_hour, end_hour)`, in the order of time."""

    def stored_hours(self, first_hour: int, end_hour: int, model: str) -> "Iterator[tuple[ProfileKey, StoredProfile]]":
        """As `hours`, to be unpacked later."""

    def count_images(self, first_hour: int, end_hour: int, model: str) -> int:
        """Return the number of images of a model in the hours `[first_hour, end_hour)`."""

    def last_hour(self, model: str, source: str, end_hour: int) -> int | None:
        """Return the last hour before `end_hour` in which a source has rows of its own; None where it has none."""

    def known_sources(self, first_hour: int, origin: str, most: int) -> list[str]:
        """Return the named sources of an origin from an hour on; of too many, those of the most hours."""

    def has_source(self, source: str) -> bool:
        """Whether the log has, or had, rows of a source."""

    def crowded_hours(self, first_hour: int, end_hour: int, model: str) -> set[int]:
        """Return the hours in which a model has more sources than are kept apart, so that some are `other`."""

    def all(self) -> "dict[ProfileKey, Profile]":
        """Return every profile, to be verified; one that cannot be decoded is empty, which none is."""


class ArrivalRecords(Protocol):
    """How many rows were logged for each hour of observation, and how many of them a check of record knows."""

    def read(self, model: str) -> "Arrivals":
        """Return which rows of a model the next check of record is the first to know."""

    def mark_checked(self, arrivals: "Arrivals") -> None:
        """Enter that a check of record knows these rows; rows that were logged since they were read stay late."""

    def add(self, rows: "RowsByHour") -> None:
        """Count rows as logged."""

    def replace(self, old: "RowsByHour", new: "RowsByHour") -> None:
        """Count rows that replace others, of the same images: only what is more is new.

        An hour that loses rows, because an image's date could be read now, loses those first that no check knows.
        """

    def prune(self, before: datetime) -> None:
        """Forget hours before a time whose rows are all known to a check, or gone; the newest known one stays."""


class RunRecords(Protocol):
    """Runs of predict and of APIs, in the order in which they were entered."""

    def begin(self, run: str, identity: "RunIdentity", at: int) -> None:
        """Enter a new run."""

    def newest(self, identity: "RunIdentity", *, unfinished: bool = False) -> str | None:
        """Return the run of an identity that was entered last, of `unfinished` ones alone where that is asked."""

    def fingerprints(self, model: str, since: int, until: int) -> list[str]:
        """Return those of the model's runs with rows that went on in `[since, until]`, in the order of entry."""

    def last_fingerprint(self, model: str) -> str | None:
        """Return that of the model's newest run with rows; predictions that were made elsewhere have none."""

    def state(self, run: str) -> "RunState | None":
        """Return how far a run has come; None for an unknown one."""

    def states(self) -> "Iterator[tuple[str, RunState]]":
        """Yield all runs."""

    def advance(self, run: str, before: int, done: int, digest: str) -> bool:
        """Move a run on from `before` inputs; False, and nothing is changed, where it is not there."""

    def count_flushes(self, run: str, flushes: int) -> None:
        """Enter how often a run was written to."""

    def finish(self, run: str, at: int) -> None:
        """Enter that a run came to its end."""

    def extend(self, run: str, state: "RunState") -> None:
        """Enter a run that was found in files, or move a known one on; what else is known of it stays."""

    def last_ends(self) -> dict[str, int]:
        """Return, for each model whose runs have all ended, when the last one did."""


class RequestRecords(Protocol):
    """What APIs have counted of their requests, by instance."""

    def add(self, instance: str, counts: "Mapping[TotalKey, float]") -> None:
        """Add to the counts of an instance."""

    def instances(self) -> list[str]:
        """Return the instances that have counts."""

    def rename(self, old: str, new: str) -> None:
        """Give the counts of an instance to one that has none."""

    def read(self, instance: str) -> "Totals":
        """Return the counts of an instance, or of all for `EVERY_INSTANCE`."""

    def raise_to(self, rows: Iterable[tuple[object, ...]]) -> None:
        """Raise counts to those that were salvaged, given as instance, metric, labels, part and value."""


class ReferenceRecords(Protocol):
    """References, by their id."""

    def all(self) -> "list[Reference]":
        """Return all references, the one that was set last first, whatever the clock said then."""

    def enter(
        self, reference: "Reference", profiles: "Mapping[str | None, Profile]", spreads: "ReferenceSpreads"
    ) -> None:
        """Enter a reference, and take back the intent of its file."""

    def profiles(self, reference: str) -> "dict[str | None, Profile]":
        """Return a window reference's profiles by source."""

    def spreads(self, reference: str) -> "ReferenceSpreads":
        """Return how much a window reference's hours and days differ."""

    def counts(self, reference: str, key: str) -> bytes | None:
        """Return the counts of a table that were kept under a key; None where there are none."""

    def keep_counts(self, reference: str, key: str, data: bytes, most: int) -> None:
        """Keep counts under a key, and of those of a reference the newest `most`; none of one that was removed."""

    def remove(self, reference: "Reference", at: datetime) -> None:
        """Remove a reference with its profiles and counts, but for a record of it; give up its file."""

    def removed(self) -> "list[RemovedReference]":
        """Return the records of references that were removed, in the order of their removal."""


class CheckRecords(Protocol):
    """Drift results, what gauges show of them, and which drift was announced."""

    def enter(self, result: "DriftResult", *, for_gauges: bool) -> None:
        """Enter a result and, with `for_gauges`, what the gauges of its model show of it.

        An undecided column keeps the score of when it was last decided; a source keeps nothing, and goes with the first
        check that does not judge it. The gauges of other models stay as they are.
        """

    def gauges(self) -> "list[DriftGauge]":
        """Return what is known of every column."""

    def states(self) -> "list[CheckState]":
        """Return each check of each model that was run."""

    def source_states(self) -> "list[SourceState]":
        """Return what the newest check of record of each model found in each source."""

    def history(self, limit: int | None) -> "Iterator[DriftResult]":
        """Yield the newest results, newest first; all of them without a limit."""

    def between(self, since: int, until: int) -> "Iterator[DriftResult]":
        """Yield the results of checks at times `[since, until)`, in the order of time."""

    def newest(self) -> dict[str, int]:
        """Return when each model was last checked."""

    def announced(self) -> "set[DriftedColumn]":
        """Return the columns whose drift was announced."""

    def announce(self, columns: "Iterable[DriftedColumn]") -> None:
        """Enter columns whose drift was announced."""

    def forget_announced(self, columns: "Iterable[DriftedColumn]") -> None:
        """Remove columns whose drift has ended."""


class EvaluationRecords(Protocol):
    """Evaluations against true labels."""

    def accuracy(self, model: str, min_labels: int, within: int | None = None) -> "list[Accuracy]":
        """Return each attribute's share of right predictions in a model's newest evaluation of `min_labels` or more.

        A later evaluation of fewer labels changes nothing: an accuracy that vanished would resolve its alert. Where
        none had enough, there are only the labels of the newest. Evaluations are left out that are more than `within`
        microseconds older than the model's newest one with labels enough: an attribute that is evaluated no more goes.
        """

    def counts(self, model: str, since: int, until: int) -> list[tuple[int, str, int, int]]:
        """Return the evaluations of a model at times `[since, until)`: time, attribute, right ones and labels."""

    def enter(
        self, model: str, at: int, counts: Mapping[str, tuple[int, int]], images: "Iterable[LabelledImage]"
    ) -> None:
        """Enter the counts of right predictions and of labels by attribute, and each image."""

    def labelled(self, model: str, first_hour: int, end_hour: int) -> "list[LabelledCount]":
        """Return what is known of a model's hours `[first_hour, end_hour)`; an image counts once, as it was last."""

    def forget_labelled(self, model: str, first_hour: int, end_hour: int) -> int:
        """Remove what is known of a model's images of the hours `[first_hour, end_hour)`; return how many results."""

    def newest(self) -> dict[str, int]:
        """Return when each model was last evaluated."""


class CommandRecords(Protocol):
    """When each command ran last."""

    def all(self) -> "list[CommandRun]":
        """Return every command that was ever run on this store."""

    def enter(self, command: str, finished: int, seconds: float, code: int, success: int | None) -> None:
        """Enter a run; without `success` the time of the last success stays."""

    def take_back_success(self, command: str, success: int, before: int | None) -> None:
        """Put the success before in the place of this one, unless another one was entered since."""


class StampRecords(Protocol):
    """The times at which a clock stamped something."""

    def newest(self) -> "SeenTime | None":
        """Return the newest stamp; None in a new store."""

    def after(self, now: datetime) -> "list[SeenTime]":
        """Return the stamps more than a day ahead of a time, the furthest first."""

    def take_back(self, now: datetime) -> int:
        """Set the stamps more than a day ahead of a time to that time, and return how many there were."""
