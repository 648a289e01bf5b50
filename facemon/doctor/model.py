"""The model: its files have the hashes of the configuration, its providers start, its face finder has its weights."""

from dataclasses import dataclass

from facemon.doctor.area import Area
from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined

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


def gather(examination: Examination) -> ModelFacts:
    """Open the model as a prediction would; FacemonError where that fails, which says why."""
    from facemon.model.factory import ModelFactory

    config = examination.config
    bundle = ModelFactory.of(config).bundle()
    networks = tuple((each.name, each.sha256, each.config.sha256 is not None) for each in bundle.networks)
    providers, finder = config.predict.providers, config.model.faces.finder
    return ModelFacts(config.model.id, bundle.fingerprint, finder, providers, networks, bundle.notes)


def judge(facts: ModelFacts) -> Examined:
    """List what was opened; what cannot be opened is the finding of the error."""
    hashes = [f"{name}: sha256 {sha256}{_source(is_named)}" for name, sha256, is_named in facts.networks]
    networks = ", ".join(f"{name} {sha256[:_SHOWN_DIGITS]}" for name, sha256, _ in facts.networks)
    with_ = f"finder {facts.finder}, {' and '.join(facts.providers)}"
    return Examined(f"{facts.model}: {networks}; {with_}", facts=(*hashes, *facts.notes))


def _source(is_named: bool) -> str:
    return ", as the configuration names it" if is_named else ", which the configuration does not name"


AREA = Area("model", gather, judge)
