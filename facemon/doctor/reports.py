"""The pages of drift checks: the newest check has one, and Evidently is there for its part."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.doctor.area import Area
from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined, Finding, Severity
from facemon.domain.counted import counted
from facemon.domain.times import from_micros

if TYPE_CHECKING:
    from facemon.store.ledger.protocol import Ledger


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """What lies in the folder of reports, beside when the configured model was last checked."""

    folder: Path
    pages: int
    has_latest: bool
    last_check: datetime | None
    evidently_when: str
    has_evidently: bool


def gather(examination: Examination) -> ReportFacts | None:
    """Count the pages; None where the store cannot be read."""
    from facemon.store.report_files import FOLDER, LATEST

    config = examination.config
    folder = config.store.path / FOLDER

    def read(ledger: "Ledger") -> ReportFacts:
        ran = [each.at for each in ledger.checks.states() if each.model == config.model.id]
        pages = len(list(folder.glob("*.html")))
        last = from_micros(max(ran)) if ran else None
        has_evidently = find_spec("evidently") is not None
        return ReportFacts(folder, pages, (folder / LATEST).is_file(), last, config.drift.evidently.when, has_evidently)

    return examination.read_store(read)


def judge(facts: ReportFacts | None) -> Examined:
    """Say why there are no pages."""
    if facts is None:
        return Examined(not_looked_at=("reports: the store cannot be read",))
    return Examined(f"{facts.folder}: {counted(facts.pages, 'page')}", tuple(_findings(facts)))


def _findings(facts: ReportFacts) -> Iterator[Finding]:
    if facts.last_check is not None and not facts.has_latest:
        seen = f"{facts.folder} has no latest.html, and the last check ran {facts.last_check:%Y-%m-%d %H:%M} UTC"
        yield Finding("the last check of record left no page", seen, "facemon drift-check", Severity.WARNING)
    if not facts.has_evidently and facts.evidently_when != "never":
        seen = f"it is not installed, and drift.evidently.when is {facts.evidently_when}"
        yield Finding("Evidently's part of the reports cannot be made", seen, "pip install evidently", Severity.WARNING)


AREA = Area("reports", gather, judge)
