"""Where the API and the exporter are asked, and what both say of their store: only addresses of this machine alone."""

from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal

from facemon.doctor.answers import NoAnswerError, ask
from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined
from facemon.domain.times import hour_of

if TYPE_CHECKING:
    from facemon.metrics.read_exposition import ReadSample
    from facemon.store.ledger.protocol import Ledger

Endpoint = Literal["api", "exporter"]
_IMAGES = "images_processed_total"
_RECENT_HOURS = 25
"""The hours that 24 hours touch."""


@dataclass(frozen=True, slots=True)
class EndpointFacts:
    """What an endpoint said of itself."""

    is_scraped: bool
    """Whether a job of Prometheus asks it, or the user did."""
    model: str
    url: str | None
    """None where it is not asked; `listen` is then why."""
    listen: str
    start: str
    """The command that starts it."""
    trouble: NoAnswerError | None = None
    samples: "tuple[ReadSample, ...]" = ()
    fault: str = ""
    """Why its page cannot be read."""
    images: tuple[float, float] | None = None
    """Images that the ledger has counted, before and after it was asked; None where the store cannot be read."""
    has_others: bool = False
    """Whether the log has images of source `other` of the last 24 hours."""
    is_expected: bool = True
    """Whether anything says that it runs; batch jobs without Prometheus need neither."""

    @property
    def restart(self) -> str:
        """The command that starts it where another one answers, which must be stopped first."""
        if self.start.startswith("docker "):
            head, _, service = self.start.rpartition(" ")
            return f"{head} --force-recreate {service}"
        return f"{self.start}  # once what answers there is stopped"

    def values(self, name: str) -> "list[ReadSample]":
        """The samples of a metric."""
        return [each for each in self.samples if each.name == name]

    @property
    def counted_images(self) -> float | None:
        """Images that its page counts; None where it has no such metric."""
        found = self.values(_IMAGES)
        return sum(each.value for each in found) if found else None


def gather_endpoint(examination: Examination, job: Endpoint) -> EndpointFacts:
    """Ask for its metrics, and count the store's images around that."""
    from facemon.metrics.read_exposition import read_exposition

    config, servers = examination.fitted, examination.servers
    given = servers.api if job == "api" else servers.exporter
    url, listen, start = _place(examination, job)
    is_scraped = given is not None or job in config.prometheus.jobs
    facts = EndpointFacts(
        is_scraped, config.model.id, given or url, listen, start, is_expected=_is_expected(examination, job)
    )
    if not is_scraped or facts.url is None:
        return facts
    before = examination.read_store(_images)
    try:
        page = ask(f"{facts.url}/metrics").decode("utf-8", "replace")
    except NoAnswerError as error:
        return replace(facts, trouble=error)
    after = examination.read_store(_images)
    others = examination.read_store(lambda ledger: _has_others(ledger, config.model.id, examination.now))
    facts = replace(facts, images=None if before is None or after is None else (before, after), has_others=bool(others))
    try:
        return replace(facts, samples=read_exposition(page))
    except ValueError as error:
        return replace(facts, fault=str(error))


def unexpected(facts: EndpointFacts, name: str) -> Examined | None:
    """What is said of one that nothing asks for and that is not there; None of any other."""
    if facts.trouble is None or not facts.trouble.is_refused or facts.is_expected:
        return None
    seen = f"{name}: nothing listens at {facts.url}, and no configuration, rendered file or row says that it runs"
    return Examined(not_looked_at=(seen,))


def _is_expected(examination: Examination, job: Endpoint) -> bool:
    """Whether the user named it or Prometheus, rendered what starts or scrapes it, configured either, or used it."""
    from facemon.render.stack import Part

    servers = examination.servers
    given = servers.api if job == "api" else servers.exporter
    written = {job, "stack", "prometheus"} & examination.config.model_fields_set
    rendered = {Part.PROMETHEUS, Part.COMPOSE} & examination.rendered_parts
    if given or servers.prometheus or written or rendered:
        return True
    return job == "api" and bool(examination.read_store(lambda ledger: ledger.requests.instances()))


def serves_another_store(facts: EndpointFacts) -> bool:
    """Whether its count of images is one that the configured store never had while it was asked."""
    if facts.images is None or facts.counted_images is None:
        return False
    return not facts.images[0] <= facts.counted_images <= facts.images[1]


def _has_others(ledger: "Ledger", model: str, now: datetime) -> bool:
    from facemon.domain.profile import OTHER

    end = hour_of(now) + 1
    last = ledger.profiles.last_hour(model, OTHER, end)
    return last is not None and last >= end - _RECENT_HOURS


def _images(ledger: "Ledger") -> float:
    return sum(value for key, value in ledger.totals.read().items() if key.metric == _IMAGES)


def _place(examination: Examination, job: Endpoint) -> tuple[str | None, str, str]:
    """Where it is asked, if that is this machine alone; where it listens; and what starts it."""
    from facemon.render.prometheus_config import runs_here
    from facemon.render.published_ports import reached_at
    from facemon.render.purpose import listen_of
    from facemon.render.stack import FULL_COMPOSE_FILE, Part

    config = examination.fitted
    # Without a rendered compose file no container runs it here, and there is none to be started.
    is_rendered = Part.COMPOSE in examination.rendered_parts
    if is_rendered and config.stack.for_ == "full" and runs_here(job, config):
        url, start = reached_at(job, 1, config), f"docker compose -f {FULL_COMPOSE_FILE} up -d {job}"
        host = config.stack.listen
    else:
        listen, start = listen_of(job, config), f"facemon {'serve' if job == 'api' else 'serve-metrics'}"
        host = listen.host.strip("[]")
        near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - asked, not listened on
        url = f"http://{f'[{near}]' if ':' in near else near}:{listen.port}"
    return (url if _is_near(host) else None), host, start


def _is_near(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
