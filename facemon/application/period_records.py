"""What is read of the ledger for the report of a period; every record that is read is part of its hash."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from facemon.application.operation import Operation
from facemon.application.other_models import other_models
from facemon.domain.attribute import Measure
from facemon.domain.column_axis import axis_title
from facemon.domain.drift_result import Check, DriftResult
from facemon.domain.log_columns import IMAGE_COLUMN_HELP
from facemon.domain.period_report import Accuracy, Beside, ColumnBeside, Mark, MarkKind, Origin, PeriodReport
from facemon.domain.times import format_time, from_micros, hour_of, micros
from facemon.errors import FacemonError
from facemon.version import __version__

if TYPE_CHECKING:
    from facemon.config.model import AttributeConfig
    from facemon.domain.decision_plan import DecisionPlan
    from facemon.domain.profile import Profile
    from facemon.drift.sample import Sample
    from facemon.store.daily_volumes import DailyVolumes
    from facemon.store.ledger.protocol import Ledger
    from facemon.store.named_reference import Reference, RemovedReference
    from facemon.store.record_digest import RecordDigest

_CHECKS = (Check.DATA, Check.MODEL)
_ADDED_AT_ONCE = 64
"""So many profiles are kept before they become one."""


def read_period(
    operation: Operation, ledger: "Ledger", since: datetime, until: datetime, *, model: str, source: str | None
) -> PeriodReport:
    """Read the period `[since, until)`, whole hours, of a model or of one source of it."""
    from facemon.store.daily_volumes import DailyVolumes
    from facemon.store.record_digest import RecordDigest

    digest, volumes = RecordDigest(), DailyVolumes()
    window = operation.config.drift.window
    now_since = max(since, until - window)
    current = _count_hours(ledger, (since, now_since, until), model, source, volumes, digest)
    checks_of_others: Counter[str] = Counter()
    checks = tuple(_checks(ledger, since, until, model, source, digest, checks_of_others))
    accuracy = tuple(_accuracy(ledger, since, until, model, digest)) if source is None else ()
    empty = Beside(None, now_since, until)
    reference, beside = _beside(operation, ledger, current, empty, model=model, source=source)
    marks = tuple(_marks(ledger, since, until, reference, digest))
    late_rows = ledger.arrivals.read(model).late_rows(now_since)
    digest.add("numbers of late rows", late_rows)
    digest.add("settings of the checks", str(operation.config.drift.model_dump()))
    others = tuple(other_models(ledger, (since, now_since, until), checks_of_others, model=model, source=source))
    for each in others:
        digest.add("other models", each.model, each.images, each.checks, each.evaluations, each.late_rows)
    return PeriodReport(
        since=since,
        until=until,
        made_at=ledger.now(),
        version=__version__,
        model=model,
        source=source,
        window=window,
        volumes=tuple(volumes.volumes()),
        marks=marks,
        beside=beside,
        checks=checks,
        accuracy=accuracy,
        late_rows=late_rows,
        plan=_plan(operation, ledger, reference, until, model) if source is None else None,
        origin=Origin(dict(digest.records), digest.hexdigest()),
        others=others,
    )


def _count_hours(
    ledger: "Ledger",
    times: tuple[datetime, datetime, datetime],
    model: str,
    source: str | None,
    volumes: "DailyVolumes",
    digest: "RecordDigest",
) -> "Profile":
    """Count the hours from the first of three times to the last by day; return the sum of those from the second on."""
    from facemon.domain.profile import add_profiles

    first, current, end = map(hour_of, times)
    parts: list[Profile] = []
    for key, profile in ledger.profiles.hours(first, end, model):
        if source is not None and key.source != source:
            continue
        digest.add_profile(key, profile)
        volumes.add(key, profile)
        if key.hour >= current:
            parts.append(profile)
            if len(parts) == _ADDED_AT_ONCE:
                parts[:] = [add_profiles(parts)]
    return add_profiles(parts)


def _checks(
    ledger: "Ledger",
    since: datetime,
    until: datetime,
    model: str,
    source: str | None,
    digest: "RecordDigest",
    others: Counter[str],
) -> Iterator[DriftResult]:
    """The recorded checks of a model, or what they found in one source; those of other models are counted."""
    from facemon.reports.history_report import reference_name

    removed = ledger.references.removed()
    for result in ledger.checks.between(micros(since), micros(until)):
        own = result if result.source == source else _of_source(result, source)
        if own is None:
            continue
        if result.model != model:
            others.update(() if result.model is None else (result.model,))
        else:
            digest.add("recorded checks", own.document())
            yield replace(own, reference=replace(own.reference, name=reference_name(own, removed)))


def _of_source(result: DriftResult, source: str | None) -> DriftResult | None:
    """What a check of all sources found in one of them; the history keeps only its columns that drifted."""
    found = next((each for each in result.sources if each.source == source), None)
    if source is None or result.source is not None or found is None:
        return None
    sides = (replace(side, rows=rows) for side, rows in (
        (result.reference, found.reference_rows), (result.current, found.current_rows)
    ))  # fmt: skip
    reference, current = sides
    return replace(
        result,
        verdict=found.verdict,
        reference=reference,
        current=current,
        checks=found.checks,
        source=source,
        sources=(found,),
        notes=(),
    )


def _marks(
    ledger: "Ledger", since: datetime, until: datetime, used: "Reference | None", digest: "RecordDigest"
) -> Iterator[Mark]:
    """References that were set, and models whose first row was observed, in the period, in the order of time.

    The reference that is `used` is part of the hash, whenever it was set.
    """
    marks = []
    gone = {each.id: f"removed {each.removed:%Y-%m-%d}" for each in ledger.references.removed()}
    known: list[Reference | RemovedReference] = [*ledger.references.removed(), *ledger.references.all()]
    for each in known:
        is_new = since <= each.created < until
        if is_new or (used is not None and each.id == used.id):
            digest.add("references", each.id, each.name, each.note, format_time(each.created), each.rows)
        if is_new:
            note = "; ".join(filter(None, (each.note, gone.get(each.id))))
            marks.append(Mark(each.created, MarkKind.REFERENCE, each.name, note))
    for model in ledger.segments.models():
        first = ledger.segments.first_observed(model)
        if first is not None and since <= (at := from_micros(first)) < until:
            digest.add("models", model, first)
            marks.append(Mark(at, MarkKind.MODEL, model))
    yield from sorted(marks, key=lambda each: (each.at, each.kind, each.name))


def _accuracy(
    ledger: "Ledger", since: datetime, until: datetime, model: str, digest: "RecordDigest"
) -> Iterator[Accuracy]:
    from facemon.evaluation.scores import wilson_interval

    for at, attribute, correct, labelled in ledger.evaluations.counts(model, micros(since), micros(until)):
        digest.add("evaluations", at, attribute, correct, labelled)
        yield Accuracy(from_micros(at), attribute, correct, labelled, wilson_interval(correct, labelled))


def _beside(
    operation: Operation, ledger: "Ledger", current: "Profile", empty: Beside, *, model: str, source: str | None
) -> "tuple[Reference | None, Beside]":
    """The reference, and all columns of the current rows beside it."""
    from facemon.application.compared_sides import of_one_source, reference_side

    attributes = operation.config.model.attributes
    try:
        side, _, reference = reference_side(operation, ledger, None, _CHECKS, model=model, for_log=True, source=source)
    except FacemonError as error:
        return None, replace(empty, trouble=error.message)
    sample = side.sample if source is None else of_one_source(side, source).sample
    found = replace(empty, reference=side.side.name, columns=tuple(_columns(attributes, sample, current)))
    return reference, found if current.images else replace(found, columns=(), trouble="the log has no rows in it")


def _columns(attributes: "Sequence[AttributeConfig]", sample: "Sample", current: "Profile") -> Iterator[ColumnBeside]:
    """The columns that either side has, those of the attributes first."""
    from facemon.drift.column_shapes import shape_of

    known = [column for attribute in attributes for column in attribute.columns]
    known += [*IMAGE_COLUMN_HELP]
    held = {*sample.total.columns, *current.columns}
    for name in [*(each for each in known if each in held), *sorted(held - {*known})]:
        first, second = sample.column(name), current.columns.get(name)
        either = second if second is not None else first
        if either is None or not either.total:
            continue
        compares = first is not None and second is not None and first.kind is second.kind
        compares = compares and any(side is not None and side.holds_values for side in (first, second))
        yield ColumnBeside(
            name,
            axis_title(name),
            _about(name, attributes),
            either.unit.value,
            shape_of(first, second) if compares and first is not None and second is not None else None,
            0 if first is None else first.total,
            0 if second is None else second.total,
        )


def _about(name: str, attributes: "Sequence[AttributeConfig]") -> str:
    """What a column holds, as a sentence; empty where that is not known."""
    if (image := IMAGE_COLUMN_HELP.get(name)) is not None:
        return image.help.replace("`", "")
    if (attribute := Measure.CONFIDENCE.attribute_of(name)) is not None:
        return f"The probability of the label of {attribute}."
    if (attribute := Measure.VALUE.attribute_of(name)) is not None:
        return f"The number that was predicted for {attribute}."
    return f"The label that was predicted for {name}." if any(name == each.name for each in attributes) else ""


def _plan(
    operation: Operation, ledger: "Ledger", reference: "Reference | None", until: datetime, model: str
) -> "DecisionPlan | None":
    from facemon.application.decision_plans import plan_of_reference

    if reference is None or model != operation.config.model.id:
        return None
    try:
        return plan_of_reference(operation, ledger, reference, min(until, ledger.now()))
    except FacemonError:
        return None  # the checks say why themselves
