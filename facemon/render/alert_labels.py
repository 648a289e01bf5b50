"""Which labels an alert can carry when it reaches Alertmanager: some are fixed, the others come with its series."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from facemon.config.document import Config
from facemon.config.prometheus import REPLICA_LABEL, TRANSPORT_JOBS, Job
from facemon.domain.prediction import IMAGE_COLUMNS
from facemon.render.alert import Alert
from facemon.render.annotation import expand
from facemon.render.prometheus_config import own_targets
from facemon.render.promql import TARGET_LABELS
from facemon.render.remembered import remembered

_STAND_IN = "other"


@dataclass(frozen=True, slots=True)
class Values:
    """What a label may be: one of `named`, or with `but` anything except these; a missing label is empty."""

    named: frozenset[str] = frozenset()
    but: bool = False

    def __contains__(self, value: str) -> bool:
        return (value in self.named) is not self.but

    def __bool__(self) -> bool:
        return self.but or bool(self.named)

    def __and__(self, other: "Values") -> "Values":
        if self.but and other.but:
            return Values(self.named | other.named, but=True)
        if self.but:
            return other & self
        return Values(frozenset(value for value in self.named if value in other))

    def __sub__(self, other: "Values") -> "Values":
        return self & Values(other.named, but=not other.but)

    def example(self) -> str:
        """One of them: the missing label where that may be, else the first by its letters."""
        if "" in self:
            return ""
        if not self.but:
            return min(self.named)
        stand_in = _STAND_IN
        while stand_in in self.named:
            stand_in += "-"
        return stand_in


_ANYTHING = Values(but=True)
_PRESENT = Values(frozenset({""}), but=True)
_MISSING = Values(frozenset({""}))

Match = Mapping[str, Values]


@dataclass(frozen=True, slots=True)
class LabelSpace:
    """Every set of labels that an alert can carry: each label within its own values, the others within `rest`."""

    labels: Match
    rest: Values = _MISSING

    def __getitem__(self, label: str) -> Values:
        return self.labels.get(label, self.rest)

    @property
    def known_part(self) -> "LabelSpace":
        """The label sets without any label that nothing is known of."""
        return LabelSpace(self.labels)

    def within(self, match: Match) -> "LabelSpace | None":
        """The part that matches; None when there is none."""
        inside = {label: self[label] & values for label, values in match.items()}
        return LabelSpace({**self.labels, **inside}, self.rest) if all(inside.values()) else None

    def differing(self, match: Match) -> tuple[str, ...]:
        """The labels by which something in the space does not match; without any, all of it does."""
        return tuple(label for label, values in match.items() if self[label] - values)

    def outside(self, match: Match) -> Iterator["LabelSpace"]:
        """The part that does not match, in pieces of which no two overlap."""
        left = dict(self.labels)
        for label, values in match.items():
            own = left.get(label, self.rest)
            if differing := own - values:
                yield LabelSpace({**left, label: differing}, self.rest)
            left[label] = own & values
            if not left[label]:
                return

    def example(self, usual: Mapping[str, str]) -> dict[str, str]:
        """One set of labels: the usual values as far as they are in it, those that may be missing left out."""
        chosen = {
            label: usual[label] if label in usual and usual[label] in values else values.example()
            for label, values in self.labels.items()
        }
        return {label: value for label, value in chosen.items() if value}


def label_names(alert: Alert) -> frozenset[str]:
    """The labels that an alert of ours always has from its series; of an alert of the user's own nothing is known."""
    return frozenset() if alert.carries is None else alert.carries.always


def label_space(alert: Alert, config: Config) -> LabelSpace:
    """Every set of labels with which the alert can arrive."""
    always = label_names(alert)
    known = {**_known_values(config), **_values_of(alert, config)}
    pushed = "pushgateway" in config.prometheus.jobs
    labels: dict[str, Values] = {}
    for name in sorted(alert.distinguishing_labels):
        values = _PRESENT if pushed and name in TARGET_LABELS else known.get(name, _PRESENT)
        labels[name] = values if name in always else _or_missing(values)
    rest = _MISSING
    if alert.carries is None or (pushed and "job" in labels):
        # What a query of the user's own gives, and the groups on a Pushgateway, may have any label besides.
        rest = _ANYTHING
        labels.setdefault("attribute", _or_missing(known["attribute"]))
    for name in config.metrics.labels:
        # Another store's series may come by the same Prometheus, with another value or without the label.
        labels[name] = _ANYTHING
    for name, text in config.prometheus.external_labels.items():
        if name != REPLICA_LABEL:
            labels[name] = _filled(labels.get(name, rest), text)
    fixed = {name: Values(frozenset({value})) for name, value in _fixed(alert).items()}
    return LabelSpace({**labels, **fixed}, rest)


@remembered
def _known_values(config: Config) -> Mapping[str, Values]:
    """What the configuration says of labels that come with series."""
    columns = (attribute.name for attribute in config.model.attributes)
    attributes = {*columns, *IMAGE_COLUMNS, *config.drift.columns, *config.tables.kinds}
    known = {
        "attribute": Values(frozenset(attributes)),
        "check": Values(frozenset({"data", "model"})),
        "instance": _instances(config.prometheus.jobs, config),
        "job": Values(frozenset(config.prometheus.job_name(job) for job in config.prometheus.jobs)),
        **{name: Values(frozenset({value})) for name, value in config.prometheus.target_labels.items()},
        "objective": Values(frozenset(objective.name for objective in config.alerts.objectives)),
    }
    if config.exporter.probes:  # else a collector knows the services
        known["service"] = Values(frozenset(probe.name for probe in config.exporter.probes))
    return known


def _values_of(alert: Alert, config: Config) -> Mapping[str, Values]:
    """The values that labels have in this alert, where they are fewer than those that the configuration knows."""
    values = {label: Values(frozenset(each)) for label, each in alert.label_values.items()}
    if alert.group == "drift":
        # The store's metrics are dropped from the scrapes of every other job.
        store_job = TRANSPORT_JOBS[config.prometheus.store_metrics_from]
        job = config.prometheus.job_name(store_job)
        values |= {"job": Values(frozenset({job})), "instance": _instances((store_job,), config)}
    return values


def _instances(jobs: Sequence[Job], config: Config) -> Values:
    targets = (config.prometheus.targets.get(job) or own_targets(job, config) for job in jobs)
    return Values(frozenset(target for of_job in targets for target in of_job))


def _filled(values: Values, text: str) -> Values:
    """What the label may be once the Prometheus server has given its own to the alerts that lack it."""
    if "" not in values:
        return values
    if values.but:
        return Values((values.named | {""}) - {text}, but=True)
    return Values(values.named - {""} | {text})


def _fixed(alert: Alert) -> dict[str, str]:
    """The labels of the rule, which are the same whatever fires."""
    own = {name: expand(text, {}, 0) for name, text in alert.rule_labels.items()}
    known = {name: text for name, text in own.items() if text is not None}
    return {**known, "alertname": alert.name}


def _or_missing(values: Values) -> Values:
    return Values(values.named - {""}, but=True) if values.but else Values(values.named | {""})
