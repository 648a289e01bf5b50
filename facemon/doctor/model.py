"""The model: its files have the hashes of the configuration, its providers start, its face finder has its weights,
and it is the one whose predictions the reference has.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
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


def gather(examination: Examination) -> ModelFacts:
    """Open the model as a prediction would; FacemonError where that fails, which says why."""
    from facemon.model.factory import ModelFactory

    config = examination.config
    bundle = ModelFactory.of(config).bundle()
    networks = tuple((each.name, each.sha256, each.config.sha256 is not None) for each in bundle.networks)
    providers, finder = config.predict.providers, config.model.faces.finder
    reference, before = examination.read_store(lambda ledger: _before(examination, ledger)) or ("", frozenset())
    return ModelFacts(
        config.model.id, bundle.fingerprint, finder, providers, networks, bundle.notes, reference, before
    )  # fmt: skip


def _before(examination: Examination, ledger: "Ledger") -> tuple[str, AbstractSet[str]]:
    from facemon.store.references import find_reference

    model = examination.config.model.id
    try:
        found = find_reference(ledger, examination.config.drift.reference)
    except FacemonError:
        return "", frozenset()  # the finding of another area
    if found.model != model:
        return "", frozenset()
    return found.name, ledger.runs.fingerprints(model, micros(found.created))


def judge(facts: ModelFacts) -> Examined:
    """List what was opened, and say where it is another model under the same name; an error on the way is a finding."""
    hashes = [f"{name}: sha256 {sha256}{_source(is_named)}" for name, sha256, is_named in facts.networks]
    networks = ", ".join(f"{name} {sha256[:_SHOWN_DIGITS]}" for name, sha256, _ in facts.networks)
    with_ = f"finder {facts.finder}, {' and '.join(facts.providers)}"
    return Examined(f"{facts.model}: {networks}; {with_}", tuple(_findings(facts)), facts=(*hashes, *facts.notes))


def _findings(facts: ModelFacts) -> Iterator[Finding]:
    if facts.logged_before and facts.fingerprint not in facts.logged_before:
        before = ", ".join(sorted(each[:_SHOWN_DIGITS] for each in facts.logged_before))
        seen = (
            f"fingerprint {facts.fingerprint[:_SHOWN_DIGITS]}; {before} until the reference {facts.reference} was set"
        )
        command = f"give it a model.version of its own, other than {facts.model}; then set a reference with its rows"
        what = f"{facts.model} is not the model that it was when the reference was set"
        yield Finding(what, seen, command, Severity.WARNING)


def _source(is_named: bool) -> str:
    return ", as the configuration names it" if is_named else ", which the configuration does not name"


AREA = Area("model", gather, judge)
