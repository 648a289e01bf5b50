"""The labels that an alert has from its series. Each alert declares them: routes and inhibition rest on them.

A test holds each declaration against the labels of the alert's expression and against what fires in its scenarios.
"""

from dataclasses import dataclass, replace

from facemon.config.document import Config
from facemon.domain.metric_catalogue import CATALOGUE
from facemon.render.foreign_metrics import OF_STORES
from facemon.render.promql import TARGET_LABELS, Series


@dataclass(frozen=True, slots=True)
class CarriedLabels:
    """The names of the labels that come with an alert's series, besides those that its rule sets."""

    always: frozenset[str]
    sometimes: frozenset[str] = frozenset()
    """Those that only some of the alerts have, as where an expression is one of two."""
    of_targets: bool = False
    """Whether the labels of `prometheus.target_labels` come with them, which an aggregation drops."""

    @property
    def names(self) -> frozenset[str]:
        """Every label that an alert may have."""
        return self.always | self.sometimes

    def __or__(self, other: "CarriedLabels") -> "CarriedLabels":
        """Those of an expression that has the samples of either side."""
        always = self.always & other.always
        return CarriedLabels(always, (self.names | other.names) - always, self.of_targets and other.of_targets)

    def on_targets(self, config: Config) -> "CarriedLabels":
        """The same once the expression asks for series with the labels of this configuration's targets."""
        return replace(self, always=self.always | set(config.prometheus.target_labels)) if self.of_targets else self


def every_label(metric: Series, config: Config) -> CarriedLabels:
    """All labels of a metric's series: what compares, subtracts or filters them keeps these."""
    constant = config.metrics.labels if metric.name in CATALOGUE or metric in OF_STORES else ()
    return CarriedLabels(frozenset((*metric.labels, *TARGET_LABELS, *constant)), of_targets=True)


def only_labels(*names: str) -> CarriedLabels:
    """These labels alone, as an aggregation by them leaves."""
    return CarriedLabels(frozenset(names))
