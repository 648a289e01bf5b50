"""Accuracy against true labels, of the configured model and of others that are still evaluated."""

from collections.abc import Iterator

from prometheus_client.core import Metric as Family

from facemon.metrics.store_families.gauges import known
from facemon.metrics.store_families.scrape import Scrape
from facemon.store.shown_models import accuracies, evaluated_models


def families(scrape: Scrape) -> Iterator[Family]:
    """Yield the share of right predictions, where there are labels enough, and the number of labels."""
    configured = {attribute.name for attribute in scrape.model.attributes}
    found = [
        (each, model)
        for model in sorted(evaluated_models(scrape.ledger, scrape.model.id))
        for each in accuracies(scrape.ledger, model, scrape.min_labels)
        # The accuracy of an attribute that the model lost would be that of its last evaluation for ever.
        if model != scrape.model.id or each.attribute in configured
    ]
    shares = [((each.attribute, model), each.share) for each, model in found if each.share is not None]
    yield from known("model_accuracy", shares)
    yield from known("model_accuracy_labels", [((each.attribute, model), each.labels) for each, model in found])
