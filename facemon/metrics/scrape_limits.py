"""What Prometheus accepts in one scrape: one series beyond `prometheus.limits` makes it refuse the whole target."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric as Family
from prometheus_client.core import Sample
from prometheus_client.registry import Collector

from facemon.config.default_limits import ScrapeLimits
from facemon.metrics.constant_labels import labelled

if TYPE_CHECKING:
    from facemon.config.document import Config

Tell = Callable[[str], None]
_ADDED_LABELS = 3
"""Prometheus counts the metric's name, the job and the instance too."""
_NAME_LABEL = "__name__"


class AcceptedSeries:
    """Leaves out the series of facemon's own metrics that would cost the target, and says so once for each metric."""

    def __init__(self, limits: ScrapeLimits, warn: Tell) -> None:
        self._limits = limits
        self._warn = warn
        self._said = set[str]()

    def of(self, families: Iterable[Family]) -> Iterator[Family]:
        """The same families without those series; families are changed in place."""
        for family in families:
            if are_plainly_within(family.samples, self._limits):
                yield family
                continue
            refused = [why_refused(sample, self._limits) for sample in family.samples]
            if reason := next(filter(None, refused), None):
                self._say_once(f"series of {family.name} are left out, others stay: {reason}")
                kept = zip(family.samples, refused, strict=True)
                family.samples = [sample for sample, why in kept if why is None]
            yield family

    def _say_once(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            self._warn(message)


def own_registry(source: Collector, config: "Config", warn: Tell) -> CollectorRegistry:
    """A registry of all that `source` collects, with the labels of `metrics.labels` and within `prometheus.limits`.

    The families of `source` must be new at each call; `warn` is told of series that are left out.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Own(source, config, warn))
    return registry


class _Own(Collector):
    def __init__(self, source: Collector, config: "Config", warn: Tell) -> None:
        self._source = source
        self._labels = config.metrics.labels
        self._accepted = AcceptedSeries(config.prometheus.limits.plain(), warn)

    def describe(self) -> list[Family]:
        """Nothing, so that registering does not read the store."""
        return []

    def collect(self) -> Iterator[Family]:
        yield from self._accepted.of(labelled(self._source.collect(), self._labels))


def why_refused(sample: Sample, limits: ScrapeLimits) -> str | None:
    """Why Prometheus would refuse a scrape with this sample; None where it would not. It counts bytes."""
    # An empty label is none; the name is a label's value too.
    labels = {name: value for name, value in sample.labels.items() if value}
    if len(labels) + _ADDED_LABELS > limits.labels:
        count = len(labels) + _ADDED_LABELS
        return f"{count} labels with name, job and instance, and prometheus.limits.labels is {limits.labels}"
    for name, value in {_NAME_LABEL: sample.name, **labels}.items():
        if (size := _bytes(name)) > limits.label_name_length and name != _NAME_LABEL:
            limit = f"prometheus.limits.label_name_length is {limits.label_name_length:,}"
            return f"the label name {name[:20]}… has {size:,} bytes, and {limit}"
        if (size := _bytes(value)) > limits.label_value_length:
            what = "its name" if name == _NAME_LABEL else f"a value of the label {name}"
            limit = f"prometheus.limits.label_value_length is {limits.label_value_length:,}"
            return f"{what} has {size:,} bytes, and {limit}"
    return None


def are_plainly_within(samples: Sequence[Sample], limits: ScrapeLimits) -> bool:
    """Whether lengths alone tell that all samples are accepted, as almost always: a character has at most four bytes.

    A scrape asks this of each of its samples, so no step of it is taken in Python.
    """
    labels = [sample.labels for sample in samples]
    values = chain((sample.name for sample in samples), *(each.values() for each in labels))
    return (
        max(map(len, labels), default=0) + _ADDED_LABELS <= limits.labels
        and 4 * max(map(len, chain(*labels)), default=0) <= limits.label_name_length
        and 4 * max(map(len, values), default=0) <= limits.label_value_length
    )


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
