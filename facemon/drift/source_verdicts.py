"""The verdicts on single sources: which are judged, over which windows, and what the output says of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from facemon.domain.drift_result import Check, CheckResult, SourceResult, Verdict, overall
from facemon.domain.source_buckets import MOST_SOURCES
from facemon.drift.comparison import ComparedGroup
from facemon.drift.row_variances import FEWEST_PAIRS
from facemon.drift.sample import Sample
from facemon.drift.window_ladder import Ladder

NO_HOURS_NOTE = "Rows are taken as independent: only windows of the log show how often frames repeat."
_MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class ComparedGroups:
    """The whole, and each source that is judged; the only source is the whole and has no group of its own."""

    groups: tuple[ComparedGroup, ...]
    sources: tuple[str | None, ...]


def compared_groups(
    reference: Sample, current: Sample, ladder: Ladder | None, *, by_source: bool, has_rows: bool
) -> ComparedGroups:
    """The groups of a comparison with the windows of a `ladder`, or with `current` alone where there is none.

    Of sources that are too many to keep apart none is judged by itself. A window that has no rows because the reference
    took them has no sources: they are not silent.
    """
    windows: list[tuple[str | None, Sample]] = [(None, current)]
    if ladder is not None:
        windows = [(each.rung.name, each.sample) for each in ladder.windows]
    if reference.bucketed or any(sample.bucketed for _, sample in windows):
        reference = reference.in_buckets()
        windows = [(name, sample.in_buckets()) for name, sample in windows]
    whole = ComparedGroup(reference, tuple(windows[: ladder.whole] if ladder else windows))
    in_use = _windows_in_use(reference, windows[-1][1], ladder, by_source=by_source)
    if not has_rows or (ladder is not None and len(in_use) == 1):
        return ComparedGroups((whole,), tuple(in_use) if has_rows else ())
    apart = [
        ComparedGroup(
            reference.of_source(name), tuple((each, sample.of_source(name)) for each, sample in windows[:count])
        )
        for name, count in in_use.items()
    ]
    return ComparedGroups((whole, *apart), tuple(in_use))


def _windows_in_use(
    reference: Sample, current: Sample, ladder: Ladder | None, *, by_source: bool
) -> Mapping[str | None, int]:
    """How many windows of each source are judged."""
    if reference.bucketed:
        return {}
    if ladder is not None:
        return ladder.sources
    if not by_source:
        return {}
    names = {*reference.by_source, *current.by_source}
    return dict.fromkeys(sorted(names, key=lambda name: (name is None, name or "")), 1)


def source_results(
    compared: ComparedGroups, whole: Mapping[Check, CheckResult], apart: Sequence[Mapping[Check, CheckResult]]
) -> tuple[SourceResult, ...]:
    """The results of the sources, given those of their own groups."""
    if not compared.sources:
        return ()
    groups = compared.groups[1:] or compared.groups
    return tuple(
        SourceResult(
            name,
            overall(outcome.verdict for outcome in held.values()),
            group.reference.rows,
            group.windows[0][1].rows,
            held,
        )
        for name, group, held in zip(compared.sources, groups, apart or [whole], strict=True)
    )


def window_notes(ladder: Ladder) -> list[str]:
    """A sentence that tells which windows were compared, where there were several."""
    if ladder.whole < 2:
        return []
    short, long = ladder.windows[0].rung.name, ladder.longest.rung.name
    reason = f"{short} hold too few rows to decide, so windows up to {long} were compared"
    return [f"{reason}: any may show drift, only {long} can clear a column."]


def independence_notes(reference: Sample, current: Sample, cluster: str) -> list[str]:
    """A sentence that tells what could not be known of rows that repeat, such as frames of one face."""
    if cluster == "none" or reference.bucketed or current.bucketed or not (reference.rows and current.rows):
        return []
    if not reference.spreads and not current.spreads:
        return [NO_HOURS_NOTE]
    shows = [_shows_repetition(sample) for sample in (reference, current)]
    if not any(shows):
        return ["Rows are taken as independent: too few hours show how often frames repeat."]
    if not reference.spreads:
        return ["Only the current window shows how often frames repeat: set a new reference from the log."]
    return []


def _shows_repetition(sample: Sample) -> bool:
    spreads = (spread for profile in sample.spreads.values() for spread in profile.hours.values())
    return any(spread.pairs >= FEWEST_PAIRS for spread in spreads)


def source_notes(parts: Sequence[SourceResult], reference: Sample, current: Sample) -> list[str]:
    """Sentences that tell how many sources came to which verdict or are silent, and whether all were judged."""
    if len(parts) < 2:
        return []
    heard = [part for part in parts if not part.is_silent]
    counts = [(sum(part.verdict is verdict for part in heard), verdict.value) for verdict in Verdict]
    said = [f"{count} {name}" for count, name in [*counts, (len(parts) - len(heard), "silent")] if count]
    notes = [f"Sources: {', '.join(said)}; --by source prints each."]
    silent = {part.source for part in parts if part.is_silent}
    known = len({*reference.by_source, *current.by_source} - silent)
    if known > len(heard):
        judged = f"Only the {len(heard)} sources with the most rows of {known} were judged"
        notes.append(f"{judged}; --source NAME judges another.")
    return notes


def crowd_notes(reference: Sample, current: Sample) -> list[str]:
    """A sentence that tells that the sources are too many to be judged one by one."""
    if not (reference.bucketed or current.bucketed):
        return []
    together = f"None of more than {MOST_SOURCES} sources was judged by itself, only all of them together"
    return [f"{together}; --source NAME judges one."]


def one_sided_sources(reference: Sample, current: Sample) -> list[str]:
    """Sentences that name the sources of one side only, where the sides share some: these are compared alone."""
    sides = [{name for name in sample.by_source if name is not None} for sample in (reference, current)]
    if reference.bucketed or not sides[0] & sides[1]:
        return []
    notes = []
    for only, where in ((sides[0] - sides[1], "the reference"), (sides[1] - sides[0], "the current data")):
        if only:
            named = ", ".join(sorted(only)[:_MOST_NAMED])
            rest = f" and {len(only) - _MOST_NAMED} more" if len(only) > _MOST_NAMED else ""
            notes.append(f"Only {where} has rows of {named}{rest}.")
    return notes
