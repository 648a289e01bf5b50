"""The ML API: it answers, has the configured model loaded with all its workers, and can log what it predicts."""

from collections.abc import Iterator

from facemon.doctor.area import Area
from facemon.doctor.endpoints import EndpointFacts, gather_endpoint, unexpected
from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined, Finding, Severity
from facemon.domain.counted import counted


def gather(examination: Examination) -> EndpointFacts:
    """Ask it."""
    return gather_endpoint(examination, "api")


def judge(facts: EndpointFacts) -> Examined:
    """Say why it does not predict."""
    if not facts.is_scraped:
        return Examined("none: no job of prometheus.jobs scrapes it")
    if facts.url is None:
        return Examined(not_looked_at=(f"the ML API: it listens on {facts.listen}; name it by --api URL",))
    if (examined := unexpected(facts, "the ML API")) is not None:
        return examined
    return Examined(f"{facts.url}: {counted(len(facts.samples), 'series', 'series')}", tuple(_findings(facts)))


def _findings(facts: EndpointFacts) -> Iterator[Finding]:
    if facts.trouble is not None:
        yield Finding("the ML API does not answer", facts.trouble.message, facts.start)
        return
    loaded = {each.labels.get("model", ""): each.value for each in facts.values("model_loaded")}
    if facts.fault or not loaded:
        seen = f"{facts.url}/metrics {facts.fault or 'has no model_loaded'}"
        yield Finding("another program listens on the address of the ML API", seen, facts.restart)
        return
    if facts.model not in loaded:
        seen = f"it has {', '.join(loaded)}, and the configuration has {facts.model}"
        yield Finding("the ML API serves another model", seen, facts.restart)
    elif not loaded[facts.model]:
        seen = f'model_loaded{{model="{facts.model}"}} is 0: {_workers(facts)}'
        yield Finding("the model of the ML API is not loaded", seen, "see what the API says on stderr")
    if any(not each.value for each in facts.values("facemon_source_up") if each.labels.get("source") == "log"):
        seen = f'{facts.url}: facemon_source_up{{source="log"}} is 0; predictions wait in its memory'
        yield Finding("the ML API cannot log", seen, "facemon store info")
    others = sum(each.value for each in facts.values("api_other_source_images_total"))
    if others and facts.has_others:
        seen = f"images of the last 24 hours too; {others:,.0f} in all came with more names than api.max_sources allows"
        what = "images of some sources are counted as source other"
        yield Finding(what, seen, "raise api.max_sources, or list the names in api.sources", Severity.WARNING)


def _workers(facts: EndpointFacts) -> str:
    there = sum(each.value for each in facts.values("api_workers_available"))
    wanted = sum(each.value for each in facts.values("api_workers_configured"))
    return f"{there:.0f} of {wanted:.0f} workers can predict"


AREA = Area("ML API", gather, judge)
