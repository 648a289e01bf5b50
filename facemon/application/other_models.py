"""What a period has of models that its report is not about: a report of one model must not look like all of it."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from facemon.domain.period_report import OtherModel
from facemon.domain.times import hour_of, micros

if TYPE_CHECKING:
    from facemon.store.ledger.protocol import Ledger


def other_models(
    ledger: "Ledger",
    times: tuple[datetime, datetime, datetime],
    checks: Counter[str],
    *,
    model: str,
    source: str | None,
) -> Iterator[OtherModel]:
    """Yield what each other model has from the first of three times to the last, whole hours, by name.

    Late rows are those for times before the second one. `checks` counts the recorded checks by model. Of one source
    there are no evaluations: these are of all sources.
    """
    since, late_before, until = times
    evaluated = set() if source is not None else {*ledger.evaluations.newest()}
    for other in sorted({*ledger.segments.models(), *checks, *evaluated} - {model}):
        images = _count_images(ledger, since, until, other, source)
        counts = ledger.evaluations.counts(other, micros(since), micros(until)) if other in evaluated else []
        evaluations = len({at for at, *_ in counts})
        if images or checks[other] or evaluations:
            late_rows = ledger.arrivals.read(other).late_rows(late_before)
            yield OtherModel(other, images, checks[other], evaluations, late_rows)


def _count_images(ledger: "Ledger", since: datetime, until: datetime, model: str, source: str | None) -> int:
    first, end = hour_of(since), hour_of(until)
    if source is None:
        return ledger.profiles.count_images(first, end, model)
    stored = ledger.profiles.stored_hours(first, end, model)
    return sum(profile.unpacked().images for key, profile in stored if key.source == source)
