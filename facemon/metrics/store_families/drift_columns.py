"""Drift of each column, as the last check that decided found it."""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client.core import Metric as Family

from facemon.domain.drift_result import CONFIDENCE, LABEL, VALUE
from facemon.metrics.store_families.gauges import Series, known, largest
from facemon.metrics.store_families.scrape import Scrape
from facemon.store.drift_states import DriftGauge


def families(scrape: Scrape) -> Iterator[Family]:
    """Yield scores, p-values, rows and verdicts of the columns of models that are still checked."""
    gauges = [gauge for gauge in scrape.ledger.checks.gauges() if gauge.model in scrape.checked]
    # Neither accuracy nor the value of an attribute with labels: beside the labels' they would be a second series with
    # the same labels, which breaks the scrape.
    labelled = {(gauge.attribute, gauge.check, gauge.model) for gauge in gauges if gauge.measure == LABEL}
    labels = [
        gauge
        for gauge in gauges
        if gauge.measure == LABEL
        or (gauge.measure == VALUE and (gauge.attribute, gauge.check, gauge.model) not in labelled)
    ]
    confidences = [gauge for gauge in gauges if gauge.measure == CONFIDENCE]
    yield from known("drift_score", _series(labels, lambda g: g.score))
    yield from known("confidence_drift_score", _series(confidences, lambda g: g.score))
    yield from known("drift_p_value", _series(labels, lambda g: g.p_value))
    yield from known("drift_samples", _series(labels, lambda g: g.samples))
    # One series for an attribute of a model: it drifted if its labels did or its confidences did.
    yield from known("drift_detected", largest(_series(gauges, lambda g: g.detected)))
    yield from known("drift_undecided", largest(_series(gauges, lambda g: g.undecided)))


def _series(gauges: Sequence[DriftGauge], value: Callable[[DriftGauge], float | None]) -> Series:
    found = [((gauge.attribute, gauge.check, gauge.model), value(gauge)) for gauge in gauges]
    return [(labels, float(number)) for labels, number in found if number is not None]
