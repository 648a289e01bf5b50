"""The textfile and its folder as node-exporter sees them: it may come to them, reads each line, and finds them new."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shlex import quote

from facemon.doctor.ages import age_text
from facemon.doctor.area import Area
from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined, Finding, finding_of
from facemon.errors import FacemonError

_OTHERS_READ = 0o4
_LARGEST = 64 << 20


@dataclass(frozen=True, slots=True)
class TextfileFacts:
    """What node-exporter would meet; without a path no textfile is known, and `transport` is how metrics leave."""

    now: datetime
    transport: str
    path: Path | None
    oldest: timedelta = timedelta(0)
    closed: FacemonError | None = None
    """Why node-exporter cannot come to it."""
    written: datetime | None = None
    """None where there is no file."""
    is_readable: bool = True
    """By other users."""
    faults: tuple[tuple[Path, str], ...] = ()
    """The files of the folder that node-exporter refuses, and why."""
    doubled: FacemonError | None = None
    """Why another file of the folder takes series away from this one."""


def gather(examination: Examination) -> TextfileFacts:
    """Look at the folder and read the textfiles in it."""
    from facemon.metrics.textfile import refuse_unreadable

    config, given = examination.fitted, examination.servers.textfile
    export = config.schedule.export
    if given is None and export is not None and export.textfile is not None:
        given = Path(export.textfile)
    now, transport, oldest = examination.now, config.prometheus.store_metrics_from, config.alerts.oldest("ExportStale")
    if given is None:
        return TextfileFacts(now, transport, None)
    try:
        refuse_unreadable(given)
    except FacemonError as error:
        return TextfileFacts(now, transport, given, oldest, closed=error)
    faults = tuple((path, fault) for path in sorted(given.parent.glob("*.prom")) if (fault := _fault(path)))
    try:
        found = given.stat()
    except FileNotFoundError:
        return TextfileFacts(now, transport, given, oldest, faults=faults)
    written = datetime.fromtimestamp(found.st_mtime, UTC)
    is_readable = bool(found.st_mode & _OTHERS_READ)
    return TextfileFacts(now, transport, given, oldest, None, written, is_readable, faults, _doubled(given))


def _fault(path: Path) -> str | None:
    from facemon.metrics.read_exposition import read_exposition

    try:
        samples = read_exposition(_text(path))
    except ValueError as error:
        return f"is not in the exposition format: {error}"
    except OSError:
        return None  # gone since it was listed, or for others to read
    return "holds timestamps" if any(each.has_timestamp for each in samples) else None


def _doubled(path: Path) -> FacemonError | None:
    from facemon.metrics.doubled_series import refuse_doubled

    try:
        refuse_doubled(path, _text(path))
    except FacemonError as error:
        return error
    return None


def _text(path: Path) -> str:
    from facemon.regular_file import read_regular

    return read_regular(path, _LARGEST).decode("utf-8", "replace")


def judge(facts: TextfileFacts) -> Examined:
    """Say why metrics do not arrive by the textfile."""
    if facts.path is None:
        if facts.transport == "textfile":
            return Examined(not_looked_at=("the textfile: name it by --textfile FILE or schedule.export.textfile",))
        return Examined(f"none: the store's metrics leave by {facts.transport}")
    seen = f", written {age_text(facts.now - facts.written)}" if facts.written else ""
    return Examined(f"{facts.path}{seen}", tuple(_findings(facts, facts.path)))


def _findings(facts: TextfileFacts, path: Path) -> Iterator[Finding]:
    export = f"facemon export-metrics --textfile {quote(str(path))}"
    if facts.closed is not None:
        yield finding_of(facts.closed)
        return
    for other, fault in facts.faults:
        what = "node-exporter refuses a textfile, and sets node_textfile_scrape_error"
        yield Finding(what, f"{other} {fault}", export if other == path else f"remove or correct {other}")
    if facts.written is None:
        yield Finding("there is no textfile", f"{path} is not there", export)
        return
    if not facts.is_readable:
        what = "node-exporter has no permission to read the textfile"
        yield Finding(what, f"other users cannot read {path}", f"chmod o+r {quote(str(path))}")
    if facts.doubled is not None:
        yield finding_of(facts.doubled)
    if facts.now - facts.written > facts.oldest:
        seen = f"{path} was written {age_text(facts.now - facts.written)} (alerts.ExportStale)"
        yield Finding("the textfile is old: exports have stopped", seen, export)


AREA = Area("textfile", gather, judge)
