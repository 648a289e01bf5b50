"""What is known of a store at a glance, read from the metrics that an export would hold now."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from facemon.metrics.catalogue_values import MetricValue, Series

_CLOCK_DIFFERENCE = timedelta(minutes=5)
"""A time that is so far ahead is wrong: of the clock that wrote it, or of this one."""
_LATENCY = "model_inference_latency_seconds"


class Standing(StrEnum):
    """What one of the things that are watched is like, the most urgent first.

    As severe as the alerts on them: SourceUnreadable is critical and all others are warnings, of which those on the
    images come before one on a service beside them.
    """

    DOWN = "down"
    DRIFT = "drift"
    SILENT = "silent"
    UNDECIDED = "undecided"
    OLD = "old"
    UNREACHABLE = "unreachable"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class ExpectedChecks:
    """Which checks of the configured model are due, and how old one may be; None = of any age."""

    model: str
    checks: tuple[str, ...]
    within: timedelta | None


@dataclass(frozen=True, slots=True)
class CheckStatus:
    """The newest check of record of a model: its number of columns, and what was found in them."""

    check: str
    model: str
    standing: Standing
    columns: int
    drifted: int
    undecided: int
    ran: datetime | None
    """None where it is due and never ran, or where the model predicts no more and none is due."""
    decided: datetime | None
    """When it last decided, which may be an earlier run."""


@dataclass(frozen=True, slots=True)
class ColumnStatus:
    """A column of a check; the numbers are those of the last check that decided."""

    attribute: str
    check: str
    model: str
    standing: Standing
    score: float | None
    confidence_score: float | None
    threshold: float | None
    p_value: float | None
    rows: float | None


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A source of images in a check, with its rows on the current side."""

    source: str
    check: str
    model: str
    standing: Standing
    rows: float


@dataclass(frozen=True, slots=True)
class CommandStatus:
    """When a command last succeeded, if it ever did, and how long its last run took."""

    command: str
    succeeded: datetime | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """All of it, at one time."""

    at: datetime
    version: str
    place: Mapping[str, str]
    """The constant labels of the store's series."""
    is_readable: bool
    checks: tuple[CheckStatus, ...]
    columns: tuple[ColumnStatus, ...]
    sources: tuple[SourceStatus, ...]
    metrics: Mapping[str, bool]
    """Whether each source of metrics can be read."""
    services: Mapping[str, bool]
    """Whether each probed service answers."""
    commands: tuple[CommandStatus, ...]
    counters: "Counters"

    @property
    def standing(self) -> Standing:
        """The most urgent of all; without any check nothing is known to be well."""
        found = {each.standing for each in self.checks} | {each.standing for each in self.sources}
        if not self.checks:
            found.add(Standing.UNDECIDED)
        if not all(self.metrics.values()):
            found.add(Standing.DOWN)
        if not all(self.services.values()):
            found.add(Standing.UNREACHABLE)
        return next(standing for standing in Standing if standing in found)


@dataclass(frozen=True, slots=True)
class Counters:
    """What was counted since the store was made."""

    images: Mapping[str, float]
    """By outcome."""
    predictions: Mapping[tuple[str, str], Mapping[str, float]]
    """By model and attribute: the number of each predicted value."""
    inference_seconds: Mapping[str, float]
    """By model: the mean of an inference call, where there was one."""
    accuracy: Mapping[tuple[str, str], tuple[float | None, float]]
    """By model and attribute: the share of right predictions, if it is known, and the number of labels."""


def store_status(known: Iterable[MetricValue], at: datetime, expected: ExpectedChecks) -> StoreStatus:
    """Return what the whole catalogue says at a time; a check that is too old for it is `Standing.OLD`."""
    values = {each.metric.name: each for each in known}
    up = {series.labels["source"]: series.value == 1 for series in _series(values, "facemon_source_up")}
    services = {series.labels["service"]: series.value == 1 for series in _series(values, "external_service_status")}
    columns = tuple(sorted(_columns(values), key=_by_urgency))
    return StoreStatus(
        at,
        version=next((series.labels["version"] for series in _series(values, "facemon_build_info")), ""),
        place=_constant_labels(values["facemon_build_info"]),
        is_readable=up.get("store", False),
        checks=tuple(sorted(_checks(values, columns, at, expected), key=_by_urgency)),
        columns=columns,
        sources=tuple(sorted(_sources(values), key=_by_urgency)),
        metrics=up,
        services=services,
        commands=tuple(_commands(values)),
        counters=_counters(values),
    )


def _by_urgency(each: CheckStatus | ColumnStatus | SourceStatus) -> tuple[int, str, str, str]:
    name = each.source if isinstance(each, SourceStatus) else each.attribute if isinstance(each, ColumnStatus) else ""
    return list(Standing).index(each.standing), each.model, each.check, name


def _series(values: Mapping[str, MetricValue], name: str) -> Sequence[Series]:
    return values[name].series or ()


def _keyed(values: Mapping[str, MetricValue], name: str, *labels: str) -> dict[tuple[str, ...], float]:
    """The values of a metric by some of its labels; one without a model has the empty one."""
    return {tuple(each.labels.get(label, "") for label in labels): each.value for each in _series(values, name)}


def _constant_labels(known: MetricValue) -> dict[str, str]:
    own = known.metric.labels
    return {name: text for each in (known.series or ())[:1] for name, text in each.labels.items() if name not in own}


def _columns(values: Mapping[str, MetricValue]) -> Iterator[ColumnStatus]:
    def of(name: str) -> dict[tuple[str, ...], float]:
        return _keyed(values, name, "attribute", "check", "model")

    detected, undecided, thresholds = of("drift_detected"), of("drift_undecided"), _thresholds(values)
    scores, confident, p_values = of("drift_score"), of("confidence_drift_score"), of("drift_p_value")
    rows = of("drift_samples")
    for key in detected.keys() | undecided.keys():
        attribute, check, model = key
        # Drift stays until a check decides otherwise, as its alert does; no drift ends with a check that is undecided.
        standing = Standing.UNDECIDED if undecided.get(key) or key not in detected else Standing.OK
        standing = Standing.DRIFT if detected.get(key) else standing
        yield ColumnStatus(
            attribute, check, model, standing, scores.get(key), confident.get(key), thresholds.get((check, model)),
            p_values.get(key), rows.get(key),
        )  # fmt: skip


def _thresholds(values: Mapping[str, MetricValue]) -> dict[tuple[str, ...], float]:
    return _keyed(values, "drift_threshold", "check", "model")


def _checks(
    values: Mapping[str, MetricValue], columns: Sequence[ColumnStatus], at: datetime, expected: ExpectedChecks
) -> Iterator[CheckStatus]:
    ran = _keyed(values, "drift_check_timestamp_seconds", "check", "model")
    decided = _keyed(values, "drift_decided_timestamp_seconds", "check", "model")
    due = {(check, expected.model) for check in expected.checks}
    for check, model in ran.keys() | _thresholds(values).keys() | due:
        own = [each.standing for each in columns if (each.check, each.model) == (check, model)]
        last = _time(ran.get((check, model)))
        standing = min(own, key=list(Standing).index, default=Standing.UNDECIDED)
        if standing is Standing.OK and last is not None and _is_old(at - last, expected.within):
            standing = Standing.OLD
        yield CheckStatus(
            check, model, standing, len(own), own.count(Standing.DRIFT), own.count(Standing.UNDECIDED),
            last, _time(decided.get((check, model))),
        )  # fmt: skip


def _is_old(age: timedelta, within: timedelta | None) -> bool:
    return age < -_CLOCK_DIFFERENCE or (within is not None and age > within)


def _sources(values: Mapping[str, MetricValue]) -> Iterator[SourceStatus]:
    detected = _keyed(values, "drift_source_detected", "source", "check", "model")
    for key, rows in _keyed(values, "drift_source_rows", "source", "check", "model").items():
        source, check, model = key
        standing = {1.0: Standing.DRIFT, 0.0: Standing.OK}.get(detected.get(key, -1.0), Standing.UNDECIDED)
        yield SourceStatus(source, check, model, standing if rows else Standing.SILENT, rows)


def _commands(values: Mapping[str, MetricValue]) -> Iterator[CommandStatus]:
    succeeded = _keyed(values, "facemon_last_success_timestamp_seconds", "command")
    seconds = _keyed(values, "facemon_last_run_duration_seconds", "command")
    for key in sorted(succeeded.keys() | seconds.keys()):
        yield CommandStatus(key[0], _time(succeeded.get(key)), seconds.get(key))


def _counters(values: Mapping[str, MetricValue]) -> Counters:
    predictions: dict[tuple[str, str], dict[str, float]] = {}
    for series in _series(values, "model_predictions_total"):
        key = series.labels.get("model", ""), series.labels["attribute"]
        predictions.setdefault(key, {})[series.labels["value"]] = series.value
    shares = _keyed(values, "model_accuracy", "model", "attribute")
    labels = _keyed(values, "model_accuracy_labels", "model", "attribute")
    return Counters(
        {series.labels["status"]: series.value for series in _series(values, "images_processed_total")},
        predictions,
        {each.labels.get("model", ""): each.sum / each.value for each in _series(values, _LATENCY)
         if each.sum is not None and each.value},
        {(model, attribute): (shares.get((model, attribute)), count) for (model, attribute), count in labels.items()},
    )  # fmt: skip


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
