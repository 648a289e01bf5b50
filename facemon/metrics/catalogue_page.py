"""docs/metrics.md: every metric of the catalogue as a page of Markdown; a pure function."""

from collections.abc import Iterable
from itertools import groupby

from facemon.domain.metric_catalogue import Metric, MetricGroup, MetricSource, MetricType

_HEADINGS = {
    MetricGroup.API: "The ML API",
    MetricGroup.MODEL: "The model",
    MetricGroup.DRIFT: "Drift",
    MetricGroup.FACEMON: "facemon itself",
}
_FROM = {
    MetricSource.STORE: "the store, through the one transport that `prometheus.store_metrics_from` names",
    MetricSource.SERVE: "`facemon serve`",
    MetricSource.PROCESS: "whatever exports: the API, the exporter, each run of export-metrics",
}
EXAMPLES = {
    "api_requests_total": 'sum(rate(api_requests_total{status="error"}[5m])) / sum(rate(api_requests_total[5m]))',
    "api_request_latency_seconds":
        "histogram_quantile(0.95, sum by (le) (rate(api_request_latency_seconds_bucket[5m])))",
    "cache_lookups_total":
        'sum(rate(cache_lookups_total{result="hit"}[5m])) / sum(rate(cache_lookups_total[5m]))',
    "api_other_source_images_total": "increase(api_other_source_images_total[1d]) > 0",
    "api_images_in_flight": "api_images_in_flight / api_images_in_flight_limit",
    "model_predictions_total": "sum by (attribute) (rate(model_predictions_total[5m]))",
    "model_inference_latency_seconds":
        "histogram_quantile(0.95, rate(model_inference_latency_seconds_bucket[5m]))",
    "model_confidence_score":
        'sum by (attribute) (rate(model_confidence_score_bucket{le="0.6"}[1h])) '
        "/ sum by (attribute) (rate(model_confidence_score_count[1h]))",
    "model_accuracy": "model_accuracy < 0.7",
    "model_accuracy_labels": "model_accuracy and on (attribute) model_accuracy_labels >= 100",
    "images_processed_total":
        'sum(increase(images_processed_total{status="failed"}[1d])) / sum(increase(images_processed_total[1d]))',
    "drift_score": "drift_score > on (job, instance, check, model) group_left () drift_threshold",
    "drift_decided_timestamp_seconds": "time() - drift_decided_timestamp_seconds",
    "drift_check_timestamp_seconds": "time() - drift_check_timestamp_seconds > 26 * 3600",
    "facemon_last_success_timestamp_seconds":
        'time() - facemon_last_success_timestamp_seconds{command="evaluate"} > 30 * 86400',
    "facemon_source_up": "facemon_source_up == 0",
}  # fmt: skip
"""A question that each is asked, where it helps to see one."""

_OPENING = """\
# Metrics

Every metric that facemon exports, written from the catalogue in `facemon/domain/metric_catalogue.py` by `make docs`.
`facemon metrics` lists the same with the values in the store; `facemon metrics NAME` shows every series of one.

Names, types and labels stay as they are; metrics are only ever added. A gauge that is not known is absent, never 0. The
store's counters lie in its ledger and only grow. The text format and OpenMetrics hold the same series.

Series that belong to a model have the label `model`, as NAME@VERSION: several models may share a store. Counters are
there for each model in the store. Gauges are there for the configured model, and for another one while it is looked
after: its drift for 14 days after its last check, its accuracy for 45 days after its last evaluation, and
`drift_check_timestamp_seconds` for 2 days after its last prediction, each counted from the newest of all models.
The accuracy of an attribute goes when it is more than 45 days older than the model's newest, and when the configured
model no longer has the attribute.

`metrics.labels` in `facemon.yaml` gives constant labels to every series, such as `{site: north}`: several stores then
share a host, a Pushgateway or a Prometheus. Metrics of your own, from collectors and applications, stay as they are.
"""


def catalogue_page(metrics: Iterable[Metric]) -> str:
    """The page: metrics by group, each with what it is, where it comes from and how it is asked for."""
    order = list(_HEADINGS)
    grouped = groupby(sorted(metrics, key=lambda metric: order.index(metric.group)), key=lambda metric: metric.group)
    return "\n".join([_OPENING, *(_section(group, list(found)) for group, found in grouped)])


def _section(group: MetricGroup, metrics: list[Metric]) -> str:
    rows = [f"| [`{metric.name}`](#{metric.name}) | {metric.type.value} | {metric.help} |" for metric in metrics]
    table = "\n".join(["| metric | type | means |", "|---|---|---|", *rows])
    return "\n".join([f"## {_HEADINGS[group]}\n", f"{table}\n", *(_entry(metric) for metric in metrics)])


def _entry(metric: Metric) -> str:
    facts = [
        ("type", metric.type.value),
        ("labels", ", ".join(f"`{label}`" for label in metric.labels) or "none"),
        ("unit", metric.unit or "none"),
        *([("buckets", ", ".join(f"{edge:g}" for edge in metric.buckets))] if metric.buckets else []),
        ("from", _FROM[metric.source]),
        *([("series", "`_bucket`, `_sum` and `_count`")] if metric.type is MetricType.HISTOGRAM else []),
    ]
    lines = [f"### {metric.name}\n", f"{metric.help}\n", *(f"- {name}: {value}" for name, value in facts)]
    if query := EXAMPLES.get(metric.name):
        lines += ["", "```promql", query, "```"]
    return "\n".join([*lines, ""])
