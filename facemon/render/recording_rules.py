"""Series that Prometheus computes once, for questions over long times and long-term storage: the alerts' numbers."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from facemon.config.alerts import PREDICT
from facemon.config.document import Config
from facemon.render import promql
from facemon.render.api_alerts import REQUESTS, at_work, error_ratio, latency_p95
from facemon.render.objectives import objective_recordings
from facemon.render.our_scenarios import narrowed_recording
from facemon.render.recording import Recording, Samples, Stage
from facemon.render.remembered import remembered
from facemon.render.scenario import Burst, Signal, series_text
from facemon.render.traffic import (
    FEW_PER_SECOND,
    OTHER,
    P95_PLACE,
    above_by,
    late,
    latencies,
    not_work,
    observations,
    requests,
    restarted,
)

PREDICTIONS = promql.series("model_predictions_total")
INFERENCE = promql.series("model_inference_latency_seconds")

_LATENCY_P95 = "endpoint:api_request_latency_seconds:p95"
_ERROR_RATIO = "facemon:api_requests:error_ratio"
_REQUEST_RATE = "endpoint:api_requests:rate"
PREDICTION_RATE = "attribute_value:model_predictions:rate"
_INFERENCE_P95 = "model:model_inference_latency_seconds:p95"
RECORDED = (_LATENCY_P95, _ERROR_RATIO, _REQUEST_RATE, PREDICTION_RATE, _INFERENCE_P95)
"""What is recorded whatever the objectives are."""

_EDGE = 0.5


@remembered
def recordings(config: Config) -> tuple[Recording, ...]:
    """Every recording rule."""
    every = (*_of_the_api(config), _prediction_rate(config), _inference(config), *objective_recordings(config))
    return tuple(narrowed_recording(each, config) for each in every)


def _of_the_api(config: Config) -> Iterator[Recording]:
    if "api" in config.prometheus.jobs:
        for each in (_latency(config), _error_ratio(config), _request_rate(config)):
            yield replace(each, stages=tuple(stage.in_store(config.metrics.labels) for stage in each.stages))


def recording_rules(config: Config) -> dict[str, Any]:
    """The content of `recording_rules.yml`."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for recording in recordings(config):
        groups.setdefault(recording.group, []).append(recording.rule())
    return {"groups": [{"name": f"facemon-{group}-recorded", "rules": rules} for group, rules in groups.items()]}


def _latency(config: Config) -> Recording:
    slow = (
        *latencies(_EDGE, fast=600, slow=0),
        *latencies(_EDGE, fast=275, slow=125, instance="api:2"),
        *latencies(_EDGE, fast=1000, slow=0, endpoint=OTHER),
        *(each for ignored in config.alerts.ignored_endpoints[:1]
          for each in latencies(_EDGE, fast=0, slow=1000, endpoint=ignored)),
    )  # fmt: skip
    slower = late(*latencies(_EDGE, fast=0, slow=1000, endpoint=OTHER, instance="api:2"))
    p95_of_fast = _EDGE / 2 + (_EDGE - _EDGE / 2) * 0.95
    return Recording(
        name=_LATENCY_P95,
        group="api",
        expr=latency_p95(config),
        window=config.prometheus.window,
        may_be_no_number=True,
        stages=(
            Stage(
                "two endpoints on two instances, then only one endpoint, and slower",
                (*slow, *slower),
                (({"endpoint": PREDICT}, above_by(P95_PLACE, _EDGE)), ({"endpoint": OTHER}, p95_of_fast)),
                (({"endpoint": OTHER}, above_by(0.95, _EDGE)),),
            ),
            Stage(
                "requests since a restart",
                restarted(*latencies(_EDGE, fast=0, slow=1000)),
                (({"endpoint": PREDICT}, above_by(0.95, _EDGE)),),
            ),
        ),
    )


def _error_ratio(config: Config) -> Recording:
    seconds = config.prometheus.window.total_seconds()
    failing: tuple[Signal, ...] = (
        requests("error", 100),
        requests("error", 200, instance="api:2"),
        requests("success", 700),
        *not_work(5000, config.alerts.ignored_endpoints, "error", "success"),
    )
    good = late(requests("success", 50, instance="api:3"))
    flood, errors = requests("success", 1000), late(requests("error", 50, instance="api:3"))
    none: Samples = (({}, 0.0),)
    all_: Samples = (({}, 1.0),)
    return Recording(
        name=_ERROR_RATIO,
        group="api",
        expr=error_ratio(config.prometheus.window, *at_work(config), by=tuple(config.metrics.labels)),
        window=config.prometheus.window,
        stages=(
            Stage("a part fails, then none", (*failing, *good), (({}, 0.3),), none),
            Stage("none fails, then all", (flood, *errors), none, all_),
            Stage("very few requests, then none", (requests("success", FEW_PER_SECOND * seconds),), none, alone=True),
        ),
    )


def _request_rate(config: Config) -> Recording:
    seconds = config.prometheus.window.total_seconds()
    return Recording(
        name=_REQUEST_RATE,
        group="api",
        expr=promql.aggregate(
            "sum", promql.rate(REQUESTS, config.prometheus.window), by=("endpoint", *config.metrics.labels)
        ),
        window=config.prometheus.window,
        stages=(
            Stage(
                "two endpoints, one on two instances, then none",
                (
                    requests("success", 5 * seconds),
                    requests("error", 2 * seconds, instance="api:2"),
                    requests("success", 11 * seconds, endpoint=OTHER),
                ),
                (({"endpoint": PREDICT}, 7.0), ({"endpoint": OTHER}, 11.0)),
                (({"endpoint": PREDICT}, 0.0), ({"endpoint": OTHER}, 0.0)),
            ),
        ),
    )


def _prediction_rate(config: Config) -> Recording:
    seconds = config.prometheus.window.total_seconds()
    constant = dict(config.metrics.labels)
    kept = ("attribute", "value", "model", *constant)

    def predicted(attribute: str, value: str, instance: str, per_second: float, model: str = "a@1") -> Signal:
        labels = {"attribute": attribute, "value": value, "model": model, "job": "exporter", "instance": instance}
        labels |= constant
        return Burst(series_text(PREDICTIONS.name, labels), per_second * seconds)

    def expected(*rates: float) -> Samples:
        keys = (("hair", "red", "a@1"), ("hair", "dark", "a@1"), ("age", "red", "a@1"), ("hair", "red", "b@2"))
        keys_with_rates = zip(keys, rates, strict=True)
        return tuple((dict(zip(kept, key, strict=False)) | constant, rate) for key, rate in keys_with_rates)

    return Recording(
        name=PREDICTION_RATE,
        group="model",
        expr=promql.aggregate("sum", promql.rate(PREDICTIONS, config.prometheus.window), by=kept),
        window=config.prometheus.window,
        stages=(
            Stage(
                "two values of one attribute, one of another, on two instances, another model, then none",
                (
                    predicted("hair", "red", "exporter:1", 5),
                    predicted("hair", "red", "exporter:2", 2),
                    predicted("hair", "dark", "exporter:1", 11),
                    predicted("age", "red", "exporter:2", 13),
                    predicted("hair", "red", "exporter:2", 17, "b@2"),
                ),
                expected(7, 11, 13, 17),
                expected(0, 0, 0, 0),
            ),
        ),
    )


def _inference(config: Config) -> Recording:
    constant = dict(config.metrics.labels)

    def inferred(model: str, instance: str, fast: float, slow: float) -> tuple[Burst, ...]:
        labels = {"model": model, "job": "exporter", "instance": instance, **constant}
        return observations(INFERENCE, labels, _EDGE, fast=fast, slow=slow)

    first = (*inferred("a@1", "exporter:1", 600, 0), *inferred("a@1", "exporter:2", 275, 125))
    second = late(*inferred("b@2", "exporter:1", 0, 1000))
    return Recording(
        name=_INFERENCE_P95,
        group="model",
        expr=promql.quantile(0.95, INFERENCE, config.prometheus.window, by=("model", *constant)),
        window=config.prometheus.window,
        may_be_no_number=True,
        stages=(
            Stage(
                "one model on two instances, then only another",
                (*first, *second),
                (({"model": "a@1", **constant}, above_by(P95_PLACE, _EDGE)),),
                (({"model": "b@2", **constant}, above_by(0.95, _EDGE)),),
            ),
            Stage(
                "predictions since a restart",
                restarted(*inferred("a@1", "exporter:1", 0, 1000)),
                (({"model": "a@1", **constant}, above_by(0.95, _EDGE)),),
            ),
        ),
    )
