"""Why the store's metrics do not arrive although a target of their job is up, as Prometheus itself can tell."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from facemon.config.prometheus import Transport
from facemon.doctor.finding import Finding
from facemon.doctor.prometheus_facts import Sample
from facemon.domain.counted import counted

_RELOAD = "facemon render-config --reload"
_COMMANDS = {"exporter": "facemon serve-metrics", "api": "facemon serve"}
Ask = Callable[[str], Sequence[Sample]]


@dataclass(frozen=True, slots=True)
class Arrival:
    """The way by which metrics are to arrive, and what Prometheus has of it."""

    job: str
    transport: Transport
    gateway: str
    """Where exports are pushed to; empty where they are not."""
    textfile: Path | None = None
    """What exports write; None where that is not known."""
    is_elsewhere: bool = False
    """Whether node-exporter sees the machine's files under other paths, as in a container."""
    textfiles: Sequence[str] = ()
    """The files that node-exporter reads."""
    scraped: float = 0
    """Samples of the job's last scrapes."""
    kept: float = 0
    """Those of them that metric_relabel_configs kept."""


def asked_arrival(arrival: Arrival, ask: Ask) -> Arrival:
    """Return the same with what Prometheus has of it."""
    from dataclasses import replace

    from facemon.render.expression import equals

    job = f"{{{equals('job', arrival.job).text}}}"
    scraped, kept = (
        sum(each.value for each in ask(f"{name}{job}"))
        for name in ("scrape_samples_scraped", "scrape_samples_post_metric_relabeling")
    )
    files = [each.labels.get("file", "") for each in ask(f"node_textfile_mtime_seconds{job}")]
    return replace(arrival, textfiles=files, scraped=scraped, kept=kept)


def missing_finding(missing: Sequence[str], named: str, arrival: Arrival) -> Finding:
    """The finding of metrics that have not arrived, with the nearest cause and what mends that."""
    what = f"{counted(len(missing), 'metric')} of the store not in Prometheus under the job {arrival.job}"
    if arrival.kept < arrival.scraped:
        dropped = f"{arrival.scraped - arrival.kept:.0f} of {arrival.scraped:.0f} samples"
        seen = f"{named}; the job's metric_relabel_configs drop {dropped}"
        return Finding(what, seen, _RELOAD)
    if arrival.transport != "textfile":
        address = f" http://{arrival.gateway}" if arrival.gateway else ""
        export = f"facemon export-metrics --pushgateway{address}"
        return Finding(what, named, _COMMANDS.get(arrival.transport, export))
    path = arrival.textfile
    if path is None:
        return Finding(what, named, "facemon export-metrics --textfile FILE")
    if _is_read(path, arrival):
        return Finding(what, named, f"facemon export-metrics --textfile {quote(str(path))}")
    others = f"it reads {', '.join(arrival.textfiles)}" if arrival.textfiles else "it reads no textfile"
    command = f"start node-exporter with --collector.textfile.directory={quote(str(path.parent))}"
    return Finding("node-exporter does not read the textfile", f"{path}: {others}; {named}", command)


def _is_read(path: Path, arrival: Arrival) -> bool:
    if arrival.is_elsewhere:
        return path.name in {Path(each).name for each in arrival.textfiles}
    return str(path) in arrival.textfiles
