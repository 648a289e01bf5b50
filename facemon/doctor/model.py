"""The model: its files have the hashes of the configuration, its providers start, its face finder has its weights,
and it is the one whose predictions the reference has.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from facemon.doctor.area import Area
from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined, Finding, Severity
from facemon.domain.times import micros
from facemon.errors import FacemonError

if TYPE_CHECKING:
    from facemon.store.ledger.protocol import Ledger

_SHOWN_DIGITS = 12


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What was opened."""

    model: str
    fingerprint: str
    finder: str
    providers: tuple[str, ...]
    networks: tuple[tuple[str, str, bool], ...]
    """The name of each network, its sha256, and whether the configuration names that."""
    notes: tuple[str, ...]
    reference: str = ""
    """The reference of checks, where it has predictions of this name and version."""
    logged_before: AbstractSet[str] = frozenset()
    """The fingerprints with which this name and version predicted before the reference was set."""
    in_reference: tuple[str, ...] = ()
    """Those with which it predicted in the reference's window."""
    logged_since: tuple[str, ...] = ()
    """Those with which it predicted since the reference was set."""


def gather(examination: Examination) -> ModelFacts:
    """Open the model as a prediction would; FacemonError where that fails, which says why."""
    from facemon.model.factory import ModelFactory

    config = examination.config
    bundle = ModelFactory.of(config).bundle()
    networks = tuple((each.name, each.sha256, each.config.sha256 is not None) for each in bundle.networks)
    providers, finder = config.predict.providers, config.model.faces.finder
    facts = ModelFacts(config.model.id, bundle.fingerprint, finder, providers, networks, bundle.notes)
    return examination.read_store(lambda ledger: _beside_reference(examination, ledger, facts)) or facts


def _beside_reference(examination: Examination, ledger: "Ledger", facts: ModelFacts) -> ModelFacts:
    from facemon.store.references import find_reference

    try:
        found = find_reference(ledger, examination.config.drift.reference)
    except FacemonError:
        return facts  # the finding of another area
    if found.model != facts.model:
        return facts

    def between(since: int, until: int) -> tuple[str, ...]:
        return tuple(ledger.runs.fingerprints(facts.model, since, until))

    created, now = micros(found.created), micros(ledger.now())
    window = (micros(found.since), min(micros(found.until), created)) if found.since and found.until else None
    return replace(
        facts,
        reference=found.name,
        logged_before=frozenset(between(0, created)),
        in_reference=between(*window) if window else (),
        logged_since=between(created + 1, max(now, created + 1)),
    )


def judge(facts: ModelFacts) -> Examined:
    """List what was opened, and say where it is another model under the same name; an error on the way is a finding."""
    hashes = [f"{name}: sha256 {sha256}{_source(is_named)}" for name, sha256, is_named in facts.networks]
    networks = ", ".join(f"{name} {sha256[:_SHOWN_DIGITS]}" for name, sha256, _ in facts.networks)
    with_ = f"finder {facts.finder}, {' and '.join(facts.providers)}"
    return Examined(f"{facts.model}: {networks}; {with_}", tuple(_findings(facts)), facts=(*hashes, *facts.notes))


def _findings(facts: ModelFacts) -> Iterator[Finding]:
    own_version = f"give the changed model a model.version of its own, other than {facts.model}"
    if len(facts.in_reference) > 1:
        what = f"the reference {facts.reference} has rows of {len(facts.in_reference)} models called {facts.model}"
        command = f"{own_version}; then set a reference with rows of one of them"
        yield Finding(what, f"fingerprints {_shown(facts.in_reference)}", command, Severity.WARNING)
    if others := [each for each in facts.logged_since if each != facts.fingerprint]:
        what = f"{facts.model} was logged as another model since the reference {facts.reference} was set"
        seen = f"fingerprint {_shown([facts.fingerprint])} as configured; rows were logged with {_shown(others)}"
        yield Finding(what, seen, f"{own_version}; then set a reference with its rows", Severity.WARNING)
    if facts.logged_before and facts.fingerprint not in facts.logged_before:
        before = _shown(sorted(facts.logged_before))
        seen = (
            f"fingerprint {facts.fingerprint[:_SHOWN_DIGITS]}; {before} until the reference {facts.reference} was set"
        )
        command = f"give it a model.version of its own, other than {facts.model}; then set a reference with its rows"
        what = f"{facts.model} is not the model that it was when the reference was set"
        yield Finding(what, seen, command, Severity.WARNING)


def _shown(fingerprints: Sequence[str]) -> str:
    return ", ".join(each[:_SHOWN_DIGITS] for each in fingerprints)


def _source(is_named: bool) -> str:
    return ", as the configuration names it" if is_named else ", which the configuration does not name"


AREA = Area("model", gather, judge)
