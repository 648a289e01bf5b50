"""The exporter: it answers, reads this store, and all its sources are up."""

from collections.abc import Iterator

from facemon.doctor.area import Area
from facemon.doctor.endpoints import EndpointFacts, gather_endpoint, serves_another_store, unexpected
from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined, Finding, Severity
from facemon.domain.counted import counted
from facemon.version import __version__


def gather(examination: Examination) -> EndpointFacts:
    """Ask it."""
    return gather_endpoint(examination, "exporter")


def judge(facts: EndpointFacts) -> Examined:
    """Say why its metrics are missing or wrong."""
    if not facts.is_scraped:
        return Examined("none: no job of prometheus.jobs scrapes it")
    if facts.url is None:
        return Examined(not_looked_at=(f"the exporter: it listens on {facts.listen}; name it by --exporter URL",))
    if (examined := unexpected(facts, "the exporter")) is not None:
        return examined
    return Examined(f"{facts.url}: {counted(len(facts.samples), 'series', 'series')}", tuple(_findings(facts)))


def _findings(facts: EndpointFacts) -> Iterator[Finding]:
    if facts.trouble is not None:
        yield Finding("the exporter does not answer", facts.trouble.message, facts.start)
        return
    versions = [each.labels.get("version", "") for each in facts.values("facemon_build_info")]
    if facts.fault or not versions:
        seen = f"{facts.url}/metrics {facts.fault or 'has no facemon_build_info'}"
        yield Finding("another program listens on the address of the exporter", seen, facts.restart)
        return
    for each in facts.values("facemon_source_up"):
        if not each.value:
            source = each.labels.get("source", "")
            command = "facemon store info" if source == "store" else "see what the exporter says on stderr"
            seen = f'{facts.url}: facemon_source_up{{source="{source}"}} is 0'
            yield Finding(f"the exporter cannot read its source {source}", seen, command)
    if serves_another_store(facts):
        images = facts.images[1] if facts.images else 0
        seen = f"it counts {facts.counted_images:,.0f} images, and the configured store {images:,.0f}"
        yield Finding("the exporter serves another store", seen, facts.restart)
    for each in facts.values("external_service_status"):
        if not each.value:
            service = each.labels.get("service", "")
            seen = f'external_service_status{{service="{service}"}} is 0'
            yield Finding(f"the service {service} does not answer", seen, "start it", Severity.WARNING)
    if __version__ not in versions:
        seen = f"it is {versions[0]}, and this is {__version__}"
        yield Finding("the exporter is another version of facemon", seen, facts.restart, Severity.WARNING)


AREA = Area("exporter", gather, judge)
