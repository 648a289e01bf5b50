"""The series of drift and accuracy that rules and dashboards ask for, and the labels that tell them apart."""

from collections.abc import Sequence
from datetime import timedelta

from facemon.config.document import Config
from facemon.render import promql

SCORE = promql.series("drift_score")
P_VALUE = promql.series("drift_p_value")
DETECTED = promql.series("drift_detected")
UNDECIDED = promql.series("drift_undecided")
DECIDED_AT = promql.series("drift_decided_timestamp_seconds")
CHECKED_AT = promql.series("drift_check_timestamp_seconds")
LAST_SUCCESS = promql.series("facemon_last_success_timestamp_seconds")
ACCURACY = promql.series("model_accuracy")
SAMPLES = promql.series("drift_samples")
THRESHOLD = promql.series("drift_threshold")
CONFIDENCE_SCORE = promql.series("confidence_drift_score")
SOURCE_DETECTED = promql.series("drift_source_detected")
SOURCE_ROWS = promql.series("drift_source_rows")
IMAGES = promql.series("images_processed_total")

EXPORTING_TRANSPORTS = ("textfile", "pushgateway")
"""The ways out of the store at whose beginning `facemon export-metrics` is run by a schedule."""
EXPORT = {"command": "export-metrics"}
EXPORTED = promql.equals("command", EXPORT["command"])
_CHECK = ("check", "model")


DRIFT_INCIDENT = "Drift"
"""What the alerts on drift share: of columns over all sources, and of single sources."""


def drift_held(config: Config) -> timedelta:
    """How long drift must hold, the same for every alert of the incident: so they fire together, in one message."""
    return config.alerts.held("DriftDetected")


def target_labels(config: Config) -> tuple[str, ...]:
    """What tells the stores apart: the target, and the labels that metrics.labels gives to all series."""
    return (*promql.TARGET_LABELS, *config.metrics.labels)


def check_labels(config: Config) -> tuple[str, ...]:
    """What tells the checks apart: those of another model, and of another store, are others."""
    return (*target_labels(config), *_CHECK)


def example_labels(config: Config) -> dict[str, str]:
    """A column's labels in tests of rules."""
    here = {"attribute": "hair", "check": "model", "model": "faces@1", "job": "exporter", "instance": "exporter:1"}
    return {**here, **config.metrics.labels}


def example_target(config: Config) -> dict[str, str]:
    """A store's labels in tests of rules."""
    return only(example_labels(config), target_labels(config))


def other_labels(config: Config) -> dict[str, str]:
    """For each label another value than in the example."""
    other = {"job": "another", "instance": "exporter:2", "attribute": "age", "check": "data", "model": "faces@2"}
    return {**other, **{name: f"not {value}" for name, value in config.metrics.labels.items()}}


def example_source(config: Config) -> dict[str, str]:
    """A source's labels in tests of rules."""
    return {"source": "camera-6", **only(example_labels(config), check_labels(config))}


def other_source(config: Config) -> dict[str, str]:
    """For each label of a source another value than in the example."""
    return {"source": "camera-7", **only(other_labels(config), check_labels(config))}


def only(labels: dict[str, str], names: Sequence[str]) -> dict[str, str]:
    """Those of the labels that have one of these names."""
    return {name: labels[name] for name in names}
