"""What the dashboard *ML Model Metrics* shows of each attribute by itself: what is predicted, and how surely."""

from collections.abc import Sequence
from datetime import timedelta

from facemon.config.document import Config
from facemon.render import promql
from facemon.render.dashboards.expressions import mean_of_recorded, repeated
from facemon.render.dashboards.legend import legend_of
from facemon.render.dashboards.panel import Panel, PanelType, Query
from facemon.render.dashboards.section import Section
from facemon.render.dashboards.variable import Variable
from facemon.render.recording_rules import PREDICTION_RATE, PREDICTIONS

CONFIDENCE = promql.series("model_confidence_score")
HOURLY = timedelta(minutes=20)
"""As a step, it makes rates look back over more than an hour: batches and exports may be that far apart."""
_ATTRIBUTE = promql.chosen("attribute")
_PREDICTED = "predicted"
_OPEN = 8
"""So many attributes are shown at once; more are folded, and ask for nothing until they are opened."""


def attribute_sections(config: Config, models: Sequence[promql.Matcher]) -> tuple[Section, ...]:
    """A section that is repeated for each attribute with labels, if there is any."""
    labelled = [attribute for attribute in config.model.attributes if attribute.classes]
    if not labelled:
        return ()
    panels = _panels(config, (repeated("attribute", _PREDICTED), *models, _ATTRIBUTE))
    return (Section(800, "Attribute: $predicted", panels, repeat=_PREDICTED, is_folded=len(labelled) > _OPEN),)


def predicted_attributes(models: Sequence[promql.Matcher]) -> Variable:
    """The attributes among those that are chosen that have labels; columns of the data check have none."""
    return Variable(_PREDICTED, promql.select(PREDICTIONS, *models, _ATTRIBUTE), "attribute", is_hidden=True)


def _share_of_labels(config: Config, chosen: Sequence[promql.Matcher]) -> promql.Expr:
    """The share of each label among the predictions of its attribute, from what is recorded: it is asked of a week."""
    kept = [matcher for matcher in chosen if matcher.label not in promql.TARGET_LABELS]
    attributes = ("attribute", "model", *config.metrics.labels)
    rates = mean_of_recorded(PREDICTION_RATE, promql.RATE_INTERVAL, *kept)
    every = promql.compare(promql.aggregate("sum", rates, by=attributes), ">", 0)
    return promql.share(rates, every, on=attributes)


def _panels(config: Config, chosen: Sequence[promql.Matcher]) -> tuple[Panel, ...]:
    values = ("value", "model", *config.metrics.labels)
    of_value = legend_of(config, "{{value}} ({{model}})")
    increase = promql.increase(PREDICTIONS, promql.RANGE, *chosen)
    buckets = promql.bucket_increase(CONFIDENCE, promql.RATE_INTERVAL, *chosen)
    return (
        Panel(
            id=1,
            title="Predictions by attribute: $predicted",
            description="How often each value of the attribute was predicted in the time shown.",
            unit="short",
            queries=(Query(promql.aggregate("sum", increase, by=values), of_value),),
            type=PanelType.PIE,
            lowest=None,
            width=6,
        ),
        Panel(
            id=12,
            title="Predicted labels over time",
            description="Share of each value among the predictions of the attribute, over an hour or more: what drift "
            "is measured on, as it moves. It is recorded over all jobs and instances.",
            unit="percentunit",
            queries=(Query(_share_of_labels(config, chosen), of_value),),
            highest=1,
            min_step=HOURLY,
            width=10,
        ),
        Panel(
            id=2,
            title="Confidence",
            description="How many predictions fell into each band of confidence: a shift downwards often comes first.",
            unit="short",
            queries=(Query(promql.aggregate("sum", buckets, by=("le",)), "{{le}}"),),
            type=PanelType.HEATMAP,
            bands="percentunit",
            lowest=None,
            min_step=HOURLY,
            width=8,
        ),
    )
