"""Predictions, images, confidences and the latency of inference, from the totals."""

from collections.abc import Iterator

from prometheus_client.core import Metric as Family

from facemon.domain.attribute import Measure
from facemon.metrics.store_families.scrape import Scrape
from facemon.store.total_families import counter_family, histogram_family

_IMAGE_STATUSES = ("ok", "no_face", "failed")


def families(scrape: Scrape) -> Iterator[Family]:
    """All labels that the model can predict are there from the start: without a series a ratio has no value."""
    totals, model = scrape.ledger.totals.read(), scrape.model.id
    labels = [(a.name, label, model) for a in scrape.model.attributes for label in a.classes]
    yield counter_family("model_predictions_total", totals, labels)
    yield counter_family("images_processed_total", totals, [(status,) for status in _IMAGE_STATUSES])
    yield histogram_family("model_inference_latency_seconds", totals, [(model,)])
    confident = [(a.name, model) for a in scrape.model.attributes if Measure.CONFIDENCE.column(a.name) in a.columns]
    yield histogram_family("model_confidence_score", totals, confident)
