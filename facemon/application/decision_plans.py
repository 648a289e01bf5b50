"""The plan of a reference, or of a check that could not decide, from what the store holds."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from facemon.application.operation import Operation
from facemon.domain.drift_result import Check, DriftResult, Verdict
from facemon.errors import FacemonError

if TYPE_CHECKING:
    from facemon.application.compared_sides import ComparedSide
    from facemon.config.drift import DriftConfig
    from facemon.domain.decision_plan import DecisionPlan, Rate
    from facemon.drift.sample import Sample
    from facemon.store.ledger.protocol import Ledger
    from facemon.store.named_reference import Reference

_DAY = timedelta(days=1)
_CHECKS = (Check.DATA, Check.MODEL)


def plan_of_reference(
    operation: Operation, ledger: "Ledger", reference: "Reference", now: datetime
) -> "DecisionPlan | None":
    """Plan both checks of the log with a reference; None where it is another model's or cannot be counted."""
    from facemon.drift.decision_plan import plan_decisions
    from facemon.drift.reference_sample import reference_sample
    from facemon.drift.sources_apart import with_sources

    config = operation.config
    if reference.model not in (None, config.model.id):
        return None
    try:
        # A table's own layout, since only numbers of rows and shares of labels count, and they may be kept already.
        sample, _ = reference_sample(
            ledger, reference, attributes=config.model.attributes, tables=config.tables, checks=_CHECKS, layout=None
        )
    except FacemonError:
        return None
    if not sample.total.images:
        return None
    rate = _rate(ledger, config.model.id, sample, reference.since, reference.until, now)
    plan = plan_decisions(sample, rate, checks=_CHECKS, attributes=config.model.attributes, settings=config.drift)
    lately = _logged_lately(ledger, config.model.id, now)
    return with_sources(plan, sample, lately, attributes=config.model.attributes, settings=config.drift)


def with_plan(
    operation: Operation,
    ledger: "Ledger",
    result: DriftResult,
    sides: "tuple[ComparedSide, ComparedSide]",
    settings: "DriftConfig",
) -> DriftResult:
    """The result; one of the log that is undecided with notes of what would decide it.

    The rows to come are taken to be like those of the longest window; where it has none, like the reference's.
    """
    from facemon.domain.decision_plan import Rate
    from facemon.drift.decision_plan import plan_decisions
    from facemon.drift.sources_apart import with_sources
    from facemon.reports.plan_report import undecided_sentences

    reference, current = sides[0], sides[1].sample
    if result.verdict is not Verdict.UNDECIDED or not reference.sample.total.images:
        return result
    if current.total.images:
        rate: Rate | None = Rate(current.total.images / max(1.0, current.days or 1.0), "log")
    else:
        side, model = reference.side, result.model or operation.config.model.id
        rate = _rate(ledger, model, reference.sample, side.since, side.until, result.at)
    plan = plan_decisions(
        reference.sample,
        rate,
        checks=[check for check in _CHECKS if check in result.checks],
        attributes=operation.config.model.attributes,
        settings=settings,
        like=current if current.total.images else None,
    )
    if current.total.images:
        attributes = operation.config.model.attributes
        plan = with_sources(plan, reference.sample, current, attributes=attributes, settings=settings)
    return replace(result, notes=(*result.notes, *undecided_sentences(plan, result)))


def _logged_lately(ledger: "Ledger", model: str, now: datetime) -> "Sample":
    """The rows of the days that tell the rate; none where an hour has more sources than are kept apart."""
    from facemon.domain.source_buckets import SourceProfiles
    from facemon.domain.times import hour_of
    from facemon.drift.sample import Sample
    from facemon.store.logged_rate import LATELY
    from facemon.store.windows import read_sources

    if ledger.profiles.crowded_hours(hour_of(now - LATELY), hour_of(now) + 1, model):
        return Sample.of_profiles(SourceProfiles({}))
    return Sample.of_profiles(read_sources(ledger, now - LATELY, now, model=model))


def _rate(
    ledger: "Ledger", model: str, sample: "Sample", since: datetime | None, until: datetime | None, now: datetime
) -> "Rate | None":
    """The images a day of the log's last days, else of the reference's window, of which less than a day is one."""
    from facemon.domain.decision_plan import Rate
    from facemon.store.logged_rate import images_per_day

    if (logged := images_per_day(ledger, model, now)) is not None:
        return Rate(logged, "log")
    if since is None or until is None:
        return None
    return Rate(sample.total.images / max(1.0, (until - since) / _DAY), "reference")
