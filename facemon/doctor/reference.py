"""The reference: it is of this model, and large enough for the checks by their plan."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from facemon.doctor.ages import age_text
from facemon.doctor.area import Area
from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined, Finding, Severity, finding_of
from facemon.domain.counted import counted
from facemon.errors import FacemonError

if TYPE_CHECKING:
    from facemon.domain.decision_plan import DecisionPlan
    from facemon.store.ledger.protocol import Ledger
    from facemon.store.named_reference import Reference

_USUAL_DAYS = 7


@dataclass(frozen=True, slots=True)
class ReferenceFacts:
    """The reference that checks use, or why there is none."""

    now: datetime
    model: str
    min_rows: int
    oldest: timedelta
    checks: tuple[str, ...]
    """Those that run by the clock."""
    reference: "Reference | None" = None
    trouble: FacemonError | None = None
    plan: "DecisionPlan | None" = None


def gather(examination: Examination) -> ReferenceFacts | None:
    """Find the reference, and plan the checks with it; None where the store cannot be read."""
    return examination.read_store(lambda ledger: _read(examination, ledger))


def _read(examination: Examination, ledger: "Ledger") -> ReferenceFacts:
    from facemon.store.references import find_reference

    config = examination.config
    usual = (examination.now, config.model.id, config.drift.min_rows, config.alerts.oldest("ReferenceStale"))
    try:
        found = find_reference(ledger, config.drift.reference)
    except FacemonError as error:
        return ReferenceFacts(*usual, config.schedule.checks, trouble=error)
    return ReferenceFacts(*usual, config.schedule.checks, found, plan=examination.plan(ledger, found))


def judge(facts: ReferenceFacts | None) -> Examined:
    """Say why checks with the reference cannot decide."""
    if facts is None:
        return Examined(not_looked_at=("the reference: the store cannot be read",))
    if facts.reference is None:
        return Examined(
            findings=(
                finding_of(facts.trouble or FacemonError("there is no reference", "facemon reference set --since 24h")),
            )
        )
    found = facts.reference
    age = age_text(facts.now - found.created)
    looked_at = f"{found.name}: {counted(found.rows, 'row', grouped=True)} of {found.model or 'a table'}, set {age}"
    return Examined(looked_at, tuple(_findings(facts, found)), facts=tuple(_facts(facts)))


def _findings(facts: ReferenceFacts, found: "Reference") -> Iterator[Finding]:
    renew = f"facemon reference set --since {_USUAL_DAYS}d"
    if found.model not in (None, facts.model):
        seen = f"reference {found.name} has predictions of {found.model}, and the model is {facts.model}"
        yield Finding("the reference is of another model", seen, renew)
        return
    if found.rows < facts.min_rows:
        seen = f"{found.name} has {counted(found.rows, 'row')}, and drift.min_rows is {facts.min_rows}"
        yield Finding("the reference is too small for any verdict", seen, renew)
        return
    yield from _undecidable(facts, renew)
    if facts.now - found.created > facts.oldest:
        seen = f"{found.name} was set {age_text(facts.now - found.created)} (alerts.ReferenceStale)"
        yield Finding("the reference is old", seen, renew, Severity.WARNING)


def _undecidable(facts: ReferenceFacts, renew: str) -> Iterator[Finding]:
    from facemon.reports.plan_report import plan_facts

    if facts.plan is None:
        return
    outlooks = dict(plan_facts(facts.plan))
    for each in facts.plan.checks:
        if each.check.value not in facts.checks or facts.plan.rate is None or each.window is not None:
            continue
        days = next((remedy.reference_days for remedy in each.remedies if remedy.reference_days), None)
        command = renew if days is None else f"facemon reference set --since {days}d"
        because = "at this rate" if each.few_sources is None else "with this reference"
        what = f"the {each.check.value} check can never decide its threshold {because}"
        yield Finding(what, outlooks[f"{each.check.value} check"], command, Severity.WARNING)
    is_told = any(each.few_sources for each in facts.plan.checks)
    if not is_told and facts.plan.sources is not None and facts.plan.sources.unknown:
        what = "checks of the log stay undecided with this reference"
        yield Finding(what, f"by source, {outlooks['by source']}", renew, Severity.WARNING)


def _facts(facts: ReferenceFacts) -> Iterator[str]:
    from facemon.reports.plan_report import plan_facts

    if facts.plan is None:
        yield "no plan: the reference cannot be counted"
        return
    yield from (f"{name}: {text}" for name, text in plan_facts(facts.plan))


AREA = Area("reference", gather, judge)
