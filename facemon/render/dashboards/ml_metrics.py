"""The dashboard *ML Model Metrics*: how far the model has drifted, how right, sure and fast it is, and what it says."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from facemon.config.document import Config
from facemon.render import promql
from facemon.render.alert import Dashboard
from facemon.render.dashboards import advice
from facemon.render.dashboards.alert_limits import AlertLimits
from facemon.render.dashboards.annotations import new_models, references_and_checks
from facemon.render.dashboards.colours import OUTCOMES, QUANTILES, WARNING
from facemon.render.dashboards.dashboard import dashboard
from facemon.render.dashboards.expressions import greatest, least, lowest
from facemon.render.dashboards.legend import legend_of
from facemon.render.dashboards.ml_attributes import CONFIDENCE, HOURLY, attribute_sections, predicted_attributes
from facemon.render.dashboards.ml_drift import FEW, NO_CHECK, drift_panels, time_since
from facemon.render.dashboards.ml_sources import panels_of_one_source, source_panels
from facemon.render.dashboards.panel import Limit, Panel, Query, stat
from facemon.render.dashboards.section import Section
from facemon.render.dashboards.variable import Variable, variables
from facemon.render.drift_series import ACCURACY, CHECKED_AT, DETECTED, SAMPLES, SOURCE_ROWS, UNDECIDED
from facemon.render.recording_rules import INFERENCE, PREDICTIONS
from facemon.render.stale_alerts import scheduled_checks

_IMAGES = promql.series("images_processed_total")

_ATTRIBUTE, _MODEL = promql.chosen("attribute"), promql.chosen("model")
_QUANTILES = (0.5, 0.95, 0.99)
_WINDOW = promql.RATE_INTERVAL


def ml_metrics(config: Config) -> dict[str, Any]:
    """Build the dashboard."""
    # What is pushed has the job that it was pushed as, and no instance.
    pushed = config.prometheus.store_metrics_from == "pushgateway"
    labels = promql.TARGET_LABELS[:1] if pushed else promql.TARGET_LABELS
    targets = (
        *(promql.chosen(label) for label in labels),
        *(promql.chosen(label, on_any_series=True) for label in config.metrics.labels),
    )
    models = (*targets, _MODEL)
    # A model of numbers alone predicts no labels, and is sure of none.
    has_labels = any(attribute.classes for attribute in config.model.attributes)
    of_labels = (_per_second(config, models),) if has_labels else ()
    limits = AlertLimits(config)
    sections = (
        Section(100, "Now", _now(config, limits, targets), advice=advice.NOW),
        Section(200, "Drift", drift_panels(config, limits, models), advice=advice.DRIFT),
        Section(700, "Sources", source_panels(config, models), advice=advice.SOURCES),
        Section(300, "Accuracy", _accuracy(config, limits, targets), advice=advice.ACCURACY),
        Section(400, "Predictions", (*of_labels, _outcomes(targets)), advice=advice.PREDICTIONS),
        Section(500, "Confidence", (_confidence(config, models),) if has_labels else (), advice=advice.CONFIDENCE),
        Section(600, "Speed", _speed(config, targets), advice=advice.SPEED),
        *attribute_sections(config, models),
        Section(1000, "Source: $source", panels_of_one_source(config, models), repeat="source", is_folded=True),
    )
    timed = promql.count_of(INFERENCE, *models)
    return dashboard(
        config,
        Dashboard.ML_METRICS,
        sections,
        _variables(config, labels, models, has_labels=has_labels),
        since="now-7d",
        annotations=(*references_and_checks(targets, models), new_models(timed)),
    )


def _variables(
    config: Config, labels: Sequence[str], models: Sequence[promql.Matcher], *, has_labels: bool
) -> tuple[Variable, ...]:
    return (
        *variables(labels, (_IMAGES,), of_all=tuple(config.metrics.labels)),
        # Also those that another program predicts with: they are logged and compared, but never timed.
        Variable("model", promql.any_of((PREDICTIONS, INFERENCE, SAMPLES), *models[:-1])),
        # Also the columns that are no attribute: they are compared, but never predicted.
        Variable("attribute", promql.any_of((PREDICTIONS, SAMPLES), *models)),
        Variable("source", promql.any_of((SOURCE_ROWS,), *models)),
        *((predicted_attributes(models),) if has_labels else ()),
    )


def _now(config: Config, limits: AlertLimits, targets: Sequence[promql.Matcher]) -> tuple[Panel, ...]:
    columns = (*targets, _MODEL, _ATTRIBUTE)
    waited = promql.age(CHECKED_AT, *scheduled_checks(config), *targets, _MODEL)
    images = promql.increase(_IMAGES, promql.RANGE, *targets)
    failed = promql.increase(_IMAGES, promql.RANGE, promql.equals("status", "failed"), *targets)

    return (
        stat(6, "Columns that drift", "Columns for which the last decided check found drift.", "none",
             promql.aggregate("sum", promql.select(DETECTED, *columns)), no_value=NO_CHECK, limit=Limit(1)),
        stat(7, "Undecided columns", "Columns for which the newest check had too little to go by.", "none",
             promql.aggregate("sum", promql.select(UNDECIDED, *columns)), no_value=NO_CHECK,
             limit=Limit(1, colour=WARNING)),
        stat(8, "Last drift check", "Time since the check that has waited longest; red from the limit of "
             "DriftCheckStale on.", "s", greatest(waited), whose=legend_of(config, "{{check}} ({{model}})"),
             no_value=NO_CHECK, limit=limits.of("DriftCheckStale")),
        stat(9, "Lowest accuracy", "The accuracy of the attribute that is wrong most often, in its newest evaluation.",
             "percentunit", least(promql.select(ACCURACY, *columns)),
             whose=legend_of(config, "{{attribute}} ({{model}})"), no_value="no labels yet",
             limit=limits.of("LowModelAccuracy", is_lowest=True), decimals=1),
        stat(10, "Images", "Images that were tried in the time shown.", "short", promql.aggregate("sum", images)),
        stat(11, "Failed images", "Share of the images in the time shown that could not be read.", "percentunit",
             promql.divide(promql.aggregate("sum", failed), promql.compare(promql.aggregate("sum", images), ">", 0)),
             no_value="no images", decimals=1),
    )  # fmt: skip


def _accuracy(config: Config, limits: AlertLimits, targets: Sequence[promql.Matcher]) -> tuple[Panel, ...]:
    over_time = Panel(
        id=5,
        title="Accuracy per attribute",
        description="Share of correct predictions in the newest evaluation against true labels. "
        f"The line is the limit of the alert LowModelAccuracy. {FEW.format('lowest')}",
        unit="percentunit",
        queries=(
            Query(lowest(ACCURACY, *targets, _MODEL, _ATTRIBUTE), legend_of(config, "{{attribute}} ({{model}})")),
        ),
        limit=limits.of("LowModelAccuracy", is_lowest=True),
        highest=1,
        no_value="no labels yet",
        width=16,
    )

    def age(number: int, title: str, command: str, alert: str, no_value: str) -> Panel:
        description = f"Time since facemon {command} last ended well; red from the limit of {alert} on."
        oldest = promql.aggregate("max", time_since(command, targets))
        limit = limits.of(alert)
        panel = stat(number, title, description, "s", oldest, no_value=no_value, limit=limit)
        return replace(panel, height=over_time.height)

    return (
        over_time,
        age(17, "Last evaluation", "evaluate", "AccuracyStale", "no labels yet"),
        age(18, "Last reference", "reference", "ReferenceStale", "none was set"),
    )


def _per_second(config: Config, models: Sequence[promql.Matcher]) -> Panel:
    attributes = ("attribute", "model", *config.metrics.labels)
    return Panel(
        id=13,
        title="Predictions per second",
        description="Predictions of each attribute per second, over an hour or more.",
        unit="cps",
        queries=(
            Query(
                _sum(promql.rate(PREDICTIONS, _WINDOW, *models, _ATTRIBUTE), *attributes),
                legend_of(config, "{{attribute}} ({{model}})"),
            ),
        ),
        min_step=HOURLY,
    )


def _outcomes(targets: Sequence[promql.Matcher]) -> Panel:
    return Panel(
        id=14,
        title="Images by outcome",
        description="Images per second that had a face, had none, or could not be read, over an hour or more.",
        unit="cps",
        queries=(Query(_sum(promql.rate(_IMAGES, _WINDOW, *targets), "status"), "{{status}}"),),
        stacked=True,
        colours=OUTCOMES,
        min_step=HOURLY,
    )


def _confidence(config: Config, models: Sequence[promql.Matcher]) -> Panel:
    attributes = ("attribute", "model", *config.metrics.labels)
    return Panel(
        id=15,
        title="Confidence by attribute",
        description="Mean probability of the predicted label, over an hour or more. How the confidences of one "
        "attribute spread is in its own section.",
        unit="percentunit",
        queries=(
            Query(
                promql.mean(CONFIDENCE, _WINDOW, *models, _ATTRIBUTE, by=attributes),
                legend_of(config, "{{attribute}} ({{model}})"),
            ),
        ),
        lowest=None,
        highest=1,
        min_step=HOURLY,
        width=24,
    )


def _speed(config: Config, targets: Sequence[promql.Matcher]) -> tuple[Panel, ...]:
    is_live = config.prometheus.store_metrics_from in ("exporter", "api")
    step = timedelta(0) if is_live else HOURLY
    chosen = (*targets, _MODEL)
    return (
        Panel(
            id=3,
            title="Inference latency",
            description="Seconds that a batch of faces spends in the networks: P50, P95 and P99 over all models.",
            unit="s",
            queries=tuple(
                Query(promql.quantile(q, INFERENCE, _WINDOW, *chosen), f"P{q * 100:.0f}") for q in _QUANTILES
            ),
            colours=QUANTILES,
            min_step=step,
        ),
        Panel(
            id=16,
            title="Inference latency by model",
            description="P95 of the seconds that a batch of faces spends in each model's networks.",
            unit="s",
            queries=(Query(promql.quantile(0.95, INFERENCE, _WINDOW, *chosen, by=("model",)), "{{model}}"),),
            min_step=step,
        ),
    )


def _sum(expr: promql.Expr, *by: str) -> promql.Expr:
    return promql.aggregate("sum", expr, by=by)
