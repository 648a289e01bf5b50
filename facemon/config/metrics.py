"""The metrics section: labels that tell the metrics of this store from those of others."""

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from facemon.config.quantities import LabelName, LabelValue
from facemon.config.section import MisfitError, Section

OWN_LABELS = (
    "attribute", "check", "code", "command", "endpoint", "method", "model", "result", "service", "source", "status",
    "value", "version",
)  # fmt: skip
"""The labels that the metrics of the catalogue have."""
RESERVED_LABELS = (
    *OWN_LABELS, "le", "quantile", "job", "instance", "replica", "alertname", "alertstate", "severity", "area",
    "incident", "objective",
)  # fmt: skip
"""The labels that metrics, targets and alerts have, whatever is configured."""


class MetricsConfig(Section):
    """What all exported metrics have in common."""

    labels: Mapping[LabelName, LabelValue] = Field(default_factory=dict)
    """Of every series, e.g. {site: north}: so several stores share a host or a Prometheus."""

    @model_validator(mode="after")
    def _labels_are_free(self) -> Self:
        faults: list[tuple[tuple[str | int, ...], str]] = []
        for name, value in self.labels.items():
            if name in RESERVED_LABELS:
                fault = f"is a label that metrics or alerts have already, like {', '.join(OWN_LABELS[:3])}"
                faults.append((("labels", name), f"{name} {fault}; give it another name"))
            elif not value:
                faults.append((("labels", name), "is empty: Prometheus drops a label without a value"))
        if faults:
            raise MisfitError(*faults)
        return self
