"""What a column of the log is: what it holds, which check compares it, and by which metrics that is seen."""

from dataclasses import dataclass
from shlex import quote
from typing import Any

from facemon.config.attribute import AttributeConfig
from facemon.config.document import Config
from facemon.domain.attribute import Measure
from facemon.domain.kinds.registry import kind_of
from facemon.domain.log_columns import IMAGE_COLUMN_HELP, LOG_COLUMN_HELP, LogColumn
from facemon.domain.metric_catalogue import CATALOGUE, MetricGroup
from facemon.render.promql import quoted

_LABEL = "attribute"
_OF_CONFIDENCE = "confidence_drift_score"
_UNKNOWN_TYPE = "what the table holds"


@dataclass(frozen=True, slots=True)
class ExplainedColumn:
    """A column; `check` is none where no check compares it."""

    name: str
    type: str
    help: str
    attribute: str | None
    """The attribute that fills it."""
    values: tuple[str, ...]
    """The labels that the model can predict."""
    check: str | None
    threshold: float | None
    metrics: tuple[str, ...]
    """Selectors of the series that tell of it."""

    page: None = None

    @property
    def command(self) -> str | None:
        """The command that says more of it."""
        return None if self.check is None else f"facemon drift-check --explain {quote(self.name)}"

    def document(self, schema: str) -> dict[str, Any]:
        """The JSON of `facemon.explain/1`."""
        return {
            "schema": schema,
            "kind": "column",
            "name": self.name,
            "type": self.type,
            "help": self.help,
            "attribute": self.attribute,
            "values": self.values,
            "check": self.check,
            "threshold": self.threshold,
            "metrics": self.metrics,
            "command": self.command,
        }

    def facts(self) -> list[tuple[str, str]]:
        """What is said of it, in the order in which it is shown."""
        compared = "by no check" if self.check is None else f"by the {self.check} check, threshold {self.threshold:g}"
        return [
            ("column", self.name),
            ("type", self.type),
            ("help", self.help),
            *([("attribute", self.attribute)] if self.attribute else []),
            *([("values", ", ".join(self.values))] if self.values else []),
            ("compared", compared),
            *(("metric", metric) for metric in self.metrics),
            *([("command", self.command)] if self.command else []),
        ]


def column_names(config: Config) -> tuple[str, ...]:
    """Every column that the configuration knows of: of the log, and of tables that it has settings for."""
    predicted = [column for attribute in config.model.attributes for column in attribute.columns]
    of_tables = [*config.drift.columns, *config.tables.kinds]
    return tuple(dict.fromkeys((*LOG_COLUMN_HELP, *IMAGE_COLUMN_HELP, *predicted, *of_tables)))


def explain_column(name: str, config: Config) -> ExplainedColumn | None:
    """What the column is; none where the configuration knows no column of that name."""
    for attribute in config.model.attributes:
        if name in attribute.columns:
            return _predicted(name, attribute, config)
    if found := LOG_COLUMN_HELP.get(name):
        return ExplainedColumn(name, found.type, found.help, None, (), None, None, ())
    if name not in column_names(config):
        return None
    found = IMAGE_COLUMN_HELP.get(name) or LogColumn(_UNKNOWN_TYPE, "A column of tables that the configuration names.")
    threshold = _threshold(name, config, config.drift.data.threshold)
    return ExplainedColumn(name, found.type, found.help, None, (), "data", threshold, _drift_metrics(name))


def _predicted(name: str, attribute: AttributeConfig, config: Config) -> ExplainedColumn:
    kind = kind_of(attribute)
    threshold = _threshold(attribute.name, config, config.drift.model.threshold)
    if name == attribute.name:
        selected = tuple(_selected(metric, name) for metric in _metrics(MetricGroup.MODEL))
        return ExplainedColumn(
            name, "text", kind.help(attribute, Measure.LABEL), attribute.name, attribute.classes,
            "model", threshold, (*selected, *_drift_metrics(name)),
        )  # fmt: skip
    if name == Measure.CONFIDENCE.column(attribute.name):
        help_ = kind.help(attribute, Measure.CONFIDENCE)
        metrics = tuple(_selected(metric, attribute.name) for metric in ("model_confidence_score", _OF_CONFIDENCE))
        return ExplainedColumn(name, "number", help_, attribute.name, (), "model", threshold, metrics)
    help_ = kind.help(attribute, Measure.VALUE)
    if Measure.VALUE not in (compared := kind.compared(attribute)):
        return ExplainedColumn(name, "number", help_, attribute.name, (), None, None, ())
    metrics = _drift_metrics(attribute.name) if compared[0] is Measure.VALUE else _shared_metrics(attribute.name)
    own = _threshold(name, config, threshold)
    return ExplainedColumn(name, "number", help_, attribute.name, (), "model", own, metrics)


def _threshold(name: str, config: Config, usual: float) -> float:
    own = config.drift.columns.get(name)
    return usual if own is None or own.threshold is None else own.threshold


def _metrics(group: MetricGroup) -> tuple[str, ...]:
    return tuple(metric.name for metric in CATALOGUE.values() if metric.group is group and _LABEL in metric.labels)


def _drift_metrics(attribute: str) -> tuple[str, ...]:
    """The series of a column of labels or numbers; the score of confidences is another column's."""
    return tuple(_selected(metric, attribute) for metric in _metrics(MetricGroup.DRIFT) if metric != _OF_CONFIDENCE)


def _shared_metrics(attribute: str) -> tuple[str, ...]:
    """The series that tell of a column beside the labels, whose scores are the labels'."""
    return tuple(_selected(metric, attribute) for metric in ("drift_detected", "drift_undecided"))


def _selected(metric: str, attribute: str) -> str:
    return f"{metric}{{{_LABEL}={quoted(attribute)}}}"
