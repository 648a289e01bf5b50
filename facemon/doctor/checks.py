"""The checks of record: each scheduled one has run, lately, and could decide."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from shlex import quote
from typing import TYPE_CHECKING

from facemon.doctor.ages import age_text
from facemon.doctor.area import Area
from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined, Finding, Severity
from facemon.domain.counted import counted
from facemon.domain.times import from_micros
from facemon.errors import FacemonError

if TYPE_CHECKING:
    from facemon.store.drift_states import CheckState, SourceState
    from facemon.store.ledger.protocol import Ledger

_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class CheckFacts:
    """What the ledger has of the checks of the configured model."""

    now: datetime
    oldest: timedelta
    wanted: tuple[str, ...]
    states: "Sequence[CheckState]"
    sources: "Sequence[SourceState]"
    undecided: Sequence[tuple[str, str]] = ()
    """Columns that the newest check could not decide: the check and the column."""
    new_sources: Sequence[str] = ()
    """Sources that the newest check found rows of and the reference has not; empty where no source is silent."""


def gather(examination: Examination) -> CheckFacts | None:
    """Read what the gauges show; None where the store cannot be read."""
    config = examination.config
    model, oldest = config.model.id, config.alerts.oldest("DriftCheckStale")

    def read(ledger: "Ledger") -> CheckFacts:
        states = [each for each in ledger.checks.states() if each.model == model]
        sources = [each for each in ledger.checks.source_states() if each.model == model]
        gauges = [each for each in ledger.checks.gauges() if each.model == model and each.undecided]
        undecided = sorted({(each.check, each.attribute) for each in gauges})
        new = _new_sources(examination, ledger, sources) if any(_is_silent(each) for each in sources) else ()
        return CheckFacts(examination.now, oldest, config.schedule.checks, states, sources, undecided, new)

    return examination.read_store(read)


def _new_sources(examination: Examination, ledger: "Ledger", sources: "Sequence[SourceState]") -> tuple[str, ...]:
    from facemon.store.references import find_reference, reference_profiles

    try:
        known = reference_profiles(ledger, find_reference(ledger, examination.config.drift.reference))
    except FacemonError:
        return ()  # the finding of another area
    return tuple(sorted({each.source for each in sources if each.source and each.rows and each.source not in known}))


def judge(facts: CheckFacts | None) -> Examined:
    """Say which check is missing, old or undecided; drift itself is not a fault of the monitoring."""
    if facts is None:
        return Examined(not_looked_at=("checks of record: the store cannot be read",))
    ran = {each.check: each for each in facts.states}
    looked_at = "; ".join(f"{check} {_age(facts, ran[check])}" for check in facts.wanted if check in ran)
    sources = tuple(f"source {each.source or '(none)'}, {each.check}: {_verdict(each)}" for each in facts.sources)
    return Examined(looked_at, tuple(_findings(facts, ran)), facts=sources)


def _findings(facts: CheckFacts, ran: "dict[str, CheckState]") -> Iterator[Finding]:
    for check in facts.wanted:
        command = f"facemon drift-check --check {check}"
        if check not in ran:
            seen = f"schedule.checks names {check}, and the store has no result of it"
            yield Finding(f"the {check} check has never run as a check of record", seen, command)
            continue
        age = facts.now - from_micros(ran[check].at)
        if age > facts.oldest:
            seen = f"it ran {age_text(age)} (alerts.DriftCheckStale), and the schedule is to run it"
            yield Finding(f"the {check} check is stale", seen, command)
        names = [column for each, column in facts.undecided if each == check]
        if names:
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            seen = f"undecided: {', '.join(names[:_MOST_NAMED])}{more}"
            what = f"the last {check} check could not decide every column"
            yield Finding(what, seen, f"facemon drift-check --explain {quote(names[0])}", Severity.WARNING)
        elif not _decided_last(ran[check]):
            what = f"the last {check} check compared no column with the reference"
            seen = "it ended undecided and has no undecided column: the command prints why each column is left out"
            yield Finding(what, seen, f"{command} --no-record --all", Severity.WARNING)

    yield from _silent(facts)


def _silent(facts: CheckFacts) -> Iterator[Finding]:
    """The sources that send nothing; one that has another name now is the commonest reason."""
    from facemon.near_names import nearest_names

    for name in sorted({each.source or "" for each in facts.sources if _is_silent(each)})[:_MOST_NAMED]:
        shown = name or "(no source)"
        near = nearest_names(name, facts.new_sources)
        what = f"the source {shown} is silent" + (f", and {near[0]} is new: was it renamed?" if near else "")
        seen = "the reference has rows of it, and the window of the last check has none"
        command = f"facemon predict PATH --source {quote(name)}" if name else "facemon predict PATH"
        yield Finding(what, seen, command, Severity.WARNING)


def _decided_last(state: "CheckState") -> bool:
    """Whether the newest run decided, and not only one before it."""
    return state.decided is not None and state.decided >= state.at


def _is_silent(state: "SourceState") -> bool:
    return not state.rows


def _age(facts: CheckFacts, state: "CheckState") -> str:
    ran = f"ran {age_text(facts.now - from_micros(state.at))}"
    return f"{ran}, never decided" if state.decided is None else ran


def _verdict(state: "SourceState") -> str:
    if _is_silent(state):
        return "silent, no rows in the window"
    if state.undecided or state.detected is None:
        return f"undecided with {counted(state.rows, 'row', grouped=True)}"
    return f"{'drift' if state.detected else 'ok'} with {counted(state.rows, 'row', grouped=True)}"


AREA = Area("checks of record", gather, judge)
