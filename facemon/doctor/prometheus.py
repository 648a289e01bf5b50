"""Prometheus: it answers, took its files, and scrapes every target of the configuration."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facemon.doctor.area import Area
from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined, Finding, Severity
from facemon.doctor.server_versions import is_older
from facemon.domain.counted import counted
from facemon.errors import FacemonError

if TYPE_CHECKING:
    from facemon.doctor.prometheus_facts import PrometheusFacts, ScrapeTarget

NO_ANSWER = "no Prometheus was asked (--prometheus URL), or it did not answer"
"""Why what is asked of it was not looked at."""
_RELOAD = "facemon render-config --reload"


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """What Prometheus scrapes, beside what the configuration wants."""

    wanted: Mapping[str, tuple[str, ...]]
    """The addresses of each job, by its name in Prometheus."""
    starts: Mapping[str, str]
    """The command that starts the server of a job, where it is facemon's own."""
    target_version: str
    trouble: FacemonError | None = None
    found: "PrometheusFacts | None" = None


def gather(examination: Examination) -> TargetFacts | None:
    """Ask it; None where it was not asked for."""
    from facemon.render.prometheus_config import own_targets

    asked = examination.asked_prometheus
    if asked is None:
        return None
    config = examination.fitted
    settings = config.prometheus
    wanted = {
        settings.job_name(job): tuple(settings.targets.get(job) or own_targets(job, config)) for job in settings.jobs
    }
    starts = {settings.job_name("api"): "facemon serve", settings.job_name("exporter"): "facemon serve-metrics"}
    if isinstance(asked, FacemonError):
        return TargetFacts(wanted, starts, settings.target_version, asked)
    return TargetFacts(wanted, starts, settings.target_version, found=asked)


def judge(facts: TargetFacts | None) -> Examined:
    """Say which targets are missing or down, and why."""
    if facts is None:
        return Examined(not_looked_at=("Prometheus and its targets: give --prometheus URL",))
    if facts.found is None:
        message = facts.trouble.message if facts.trouble else ""
        hint = (facts.trouble.hint if facts.trouble else None) or "start it, or give another --prometheus URL"
        return Examined(findings=(Finding("Prometheus does not answer", message, hint),))
    ups = [each for each in facts.found.targets if each.job in facts.wanted and each.health == "up"]
    looked_at = f"{facts.found.url}, version {facts.found.version}: {counted(len(ups), 'target')} up"
    waiting = [each.url for each in facts.found.targets if each.job in facts.wanted and each.health == "unknown"]
    not_looked_at = tuple(f"{url}: Prometheus has not scraped it yet; ask again in a minute" for url in waiting)
    targets = tuple(f"{each.job}: {each.url} is {each.health}" for each in facts.found.targets)
    return Examined(looked_at, tuple(_findings(facts, facts.found)), not_looked_at, targets)


def _findings(facts: TargetFacts, found: "PrometheusFacts") -> Iterator[Finding]:
    if found.took_its_files is False:
        seen = f"{found.url}: prometheus_config_last_reload_successful is 0"
        check = "promtool check config monitoring/prometheus/prometheus.yml"
        yield Finding("Prometheus rejected its files and keeps using the previous ones", seen, check)
    for job, addresses in facts.wanted.items():
        there = [each for each in found.targets if each.job == job]
        yield from _of_job(job, addresses, there, facts.starts.get(job, ""))
    if is_older(found.version, facts.target_version):
        seen = f"it is {found.version}, and prometheus.target_version is {facts.target_version}"
        what = "Prometheus is older than the files are written for"
        yield Finding(what, seen, "lower prometheus.target_version, or update Prometheus", Severity.WARNING)


def _of_job(job: str, addresses: tuple[str, ...], there: "list[ScrapeTarget]", start: str) -> Iterator[Finding]:
    if not there:
        yield Finding(f"Prometheus has no target of the job {job}", "it is in none of its scrape_configs", _RELOAD)
        return
    scraped = {each.address for each in there}
    # Targets that are found by other means than the rendered file have addresses of their own.
    if not scraped & set(addresses):
        seen = f"job {job}: it scrapes {', '.join(sorted(scraped))}, and the configuration has {', '.join(addresses)}"
        yield Finding(f"Prometheus scrapes other targets of the job {job}", seen, _RELOAD)
    elif lost := [each for each in addresses if each not in scraped]:
        what = f"{counted(len(lost), 'target')} of the job {job} not scraped"
        yield Finding(what, f"{', '.join(lost)}: in the configuration, and not in Prometheus", _RELOAD)
    for each in there:
        if each.health == "down":
            command = start or f"start what listens on {each.address}"
            yield Finding(f"a target of the job {job} is down", f"{each.url}: {each.error}", command)


AREA = Area("Prometheus", gather, judge)
