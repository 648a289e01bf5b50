"""The alerts section: what may be changed of each alert, objectives, and alerts of the user's own."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, model_validator

from facemon.config.quantities import Duration, Items, LabelName, LabelValue, Name, PositiveDuration, Severity
from facemon.config.section import MisfitError, Section

AlertName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200)]
_Endpoint = Annotated[str, Field(min_length=1, max_length=200)]
PREDICT = "/predict"
_NO_WORK = (
    "/health", "/healthz", "/livez", "/ready", "/readyz", "/ping", "/metrics", "/docs", "/redoc", "/openapi.json",
    "/favicon.ico",
)  # fmt: skip
_Requests = Annotated[int, Field(ge=0, le=1_000_000_000)]
_RESERVED_LABELS = ("alertname", "severity", "area")


def _free(labels: Mapping[str, str]) -> Mapping[str, str]:
    for label in _RESERVED_LABELS:
        if label in labels:
            raise ValueError(f"sets {label!r}, which is set elsewhere")
    return labels


_Labels = Annotated[Mapping[LabelName, LabelValue], AfterValidator(_free)]


_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_AT_ONCE = timedelta(0)


class AlertDefaults(NamedTuple):
    """An alert's severity, the time for which its condition must hold, and its threshold as a number or as an age.

    None = not known here: the alert has no threshold, or another key of the configuration says it.
    """

    severity: Severity
    held: timedelta | None = _AT_ONCE
    limit: float | None = None
    oldest: timedelta | None = None

    @property
    def for_(self) -> timedelta:
        """How long the condition must hold; ValueError where another key says that."""
        if self.held is None:
            raise ValueError("another key of the configuration sets how long the condition must hold")
        return self.held


DEFAULT_ALERTS: Mapping[str, AlertDefaults] = {
    "HighLatency": AlertDefaults("warning", 5 * _MINUTE, limit=0.5),  # seconds
    "HighErrorRate": AlertDefaults("critical", 5 * _MINUTE, limit=0.05),
    "ModelNotLoaded": AlertDefaults("critical", _MINUTE),
    "DriftDetected": AlertDefaults("warning", 10 * _MINUTE, limit=0.2),
    "LowModelAccuracy": AlertDefaults("warning", 15 * _MINUTE, limit=0.7),
    "DriftVerdict": AlertDefaults("info", None),  # as DriftDetected
    "DriftUndecided": AlertDefaults("warning"),
    "SourceDrift": AlertDefaults("warning", None),  # as DriftDetected
    "SourceSilent": AlertDefaults("warning"),
    # A check that runs daily, and two hours for it.
    "DriftCheckStale": AlertDefaults("warning", oldest=26 * _HOUR),
    "ReferenceStale": AlertDefaults("warning", oldest=90 * _DAY),
    "AccuracyStale": AlertDefaults("warning"),  # older than drift.accuracy_window
    # Exports are hourly, and two may be lost. An export arrives some seconds after it ended: within these 5 minutes
    # TextfileStale or PushStale fires in place of this alert.
    "ExportStale": AlertDefaults("warning", 5 * _MINUTE, oldest=3 * _HOUR),
    "TextfileStale": AlertDefaults("warning"),  # older than ExportStale says
    "PushStale": AlertDefaults("warning"),  # older than ExportStale says
    "TargetDown": AlertDefaults("critical", 2 * _MINUTE),
    "MetricsAbsent": AlertDefaults("critical", 15 * _MINUTE),
    "SourceUnreadable": AlertDefaults("critical", 5 * _MINUTE),
    "ServiceDown": AlertDefaults("warning", 5 * _MINUTE),
    "TextfileScrapeError": AlertDefaults("warning", 5 * _MINUTE),
    "ReloadFailed": AlertDefaults("critical", 5 * _MINUTE),
    "RulesFailing": AlertDefaults("critical", 5 * _MINUTE),
    "NotificationsFailing": AlertDefaults("critical", None),  # two flushes of Alertmanager
    "AlertmanagerReloadFailed": AlertDefaults("critical", 5 * _MINUTE),
    "RemoteWriteBehind": AlertDefaults("warning", 10 * _MINUTE, oldest=2 * _MINUTE),
    "DiskFilling": AlertDefaults("warning", 15 * _MINUTE, limit=0.1),
    "Watchdog": AlertDefaults("none"),
}


class AlertConfig(Section):
    """What may be changed of an alert; none = as in `DEFAULT_ALERTS`."""

    enabled: bool = True
    """Whether there is such an alert."""
    for_: Duration | None = Field(default=None, alias="for")
    """How long its condition must hold before it fires; unset = as facemon has it."""
    keep_firing_for: Duration | None = None
    """How long the alert fires on when its condition no longer holds; none = three scrapes and an evaluation."""
    severity: Severity | None = None
    """How urgent it is, which routes can match; unset = as facemon has it."""
    labels: _Labels = Field(default_factory=dict)
    """Labels that it has besides facemon's, e.g. {team: vision}."""
    annotations: Mapping[LabelName, str] = Field(default_factory=dict)
    """Annotations that it has besides facemon's, or in the place of those of the same name."""


class LatencyAlertConfig(AlertConfig):
    """An alert on seconds above a threshold, which must be an edge of the histogram's buckets."""

    threshold: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Seconds; unset = as facemon has it."""
    min_requests: _Requests = 3
    """Requests within the window of rates from which on a quantile counts."""


class ErrorRateAlertConfig(AlertConfig):
    """An alert on a share of requests above a threshold."""

    threshold: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] | None = None
    """The share above which it fires; unset = as facemon has it."""
    min_requests: _Requests = 3
    """Requests within the window of rates from which on a share counts."""


class ShareAboveAlertConfig(AlertConfig):
    """An alert on a share above a threshold; above 1 there is nothing."""

    threshold: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] | None = None
    """The share above which it fires; unset = as facemon has it."""


class ShareBelowAlertConfig(AlertConfig):
    """An alert on a share below a threshold; below 0 there is nothing."""

    threshold: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = None
    """The share below which it fires; unset = as facemon has it."""


class AgeAlertConfig(AlertConfig):
    """An alert on what has not happened for longer than a threshold."""

    threshold: PositiveDuration | None = None
    """The age above which it fires; unset = as facemon has it."""


class ObjectiveConfig(Section):
    """A target for the share of good requests over a period; alerts fire when the error budget is used up too fast.

    Good is, by the indicator: answered without a server error, or answered within `threshold` seconds.
    """

    name: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]*$", max_length=60)]
    """A name such as Answers: its alerts are AnswersBudgetFast and AnswersBudgetSlow."""
    indicator: Literal["errors", "latency"]
    """What makes a request good: no server error (`errors`), or a fast answer (`latency`)."""
    target: Annotated[float, Field(ge=0.5, lt=1, allow_inf_nan=False)]
    """The share of requests that are to be good."""
    threshold: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Seconds, for latency: an edge of the histogram's buckets; none = the limit of HighLatency."""
    endpoint: Name | None = None
    """The only endpoint that counts; none = all of them."""
    period: PositiveDuration = timedelta(days=30)
    """The time over which they are counted."""

    @model_validator(mode="after")
    def _only_latency_has_a_threshold(self) -> Self:
        if self.indicator == "errors" and self.threshold is not None:
            raise MisfitError((("threshold",), "applies only to the indicator latency"))
        return self


class CustomAlertConfig(Section):
    """An alert of the user's own."""

    name: AlertName
    """The alert's name, which no other alert has."""
    expr: Annotated[str, Field(min_length=1)]
    """PromQL: the alert fires for each series that it returns."""
    for_: Duration = Field(default=timedelta(0), alias="for")
    """How long a series must be returned before the alert fires."""
    keep_firing_for: Duration = timedelta(0)
    """How long the alert fires on when the series is no longer returned."""
    severity: Severity = "warning"
    """How urgent it is, which routes can match."""
    summary: Annotated[str, Field(min_length=1)]
    """What is wrong, in a sentence, as a template of Prometheus."""
    description: str = ""
    """More of it, as a template of Prometheus."""
    labels: _Labels = Field(default_factory=dict)
    """Labels that it has besides, e.g. {team: vision}."""


class AlertsConfig(Section):
    """The default alerts and the guards around them, each with what is changed of it."""

    HighLatency: LatencyAlertConfig = LatencyAlertConfig.model_construct()
    HighErrorRate: ErrorRateAlertConfig = ErrorRateAlertConfig.model_construct()
    """Share of the API's requests that fail."""
    ModelNotLoaded: AlertConfig = AlertConfig.model_construct()
    """The API runs without its model."""
    DriftDetected: ShareAboveAlertConfig = ShareAboveAlertConfig.model_construct()
    """A proven and large shift of one attribute."""
    LowModelAccuracy: ShareBelowAlertConfig = ShareBelowAlertConfig.model_construct()
    """Accuracy against true labels."""
    DriftVerdict: AlertConfig = AlertConfig.model_construct()
    """The last check ended in drift, by its own thresholds."""
    DriftUndecided: AlertConfig = AlertConfig.model_construct()
    """The last check was undecided."""
    SourceDrift: AlertConfig = AlertConfig.model_construct()
    """The last check found drift in the rows of one source, such as a camera."""
    SourceSilent: AlertConfig = AlertConfig.model_construct()
    """The last check found no rows of a source that the reference has."""
    DriftCheckStale: AgeAlertConfig = AgeAlertConfig.model_construct()
    ReferenceStale: AgeAlertConfig = AgeAlertConfig.model_construct()
    AccuracyStale: AgeAlertConfig = AgeAlertConfig.model_construct()
    """No labelled images for longer than drift.accuracy_window."""
    ExportStale: AgeAlertConfig = AgeAlertConfig.model_construct()
    TextfileStale: AgeAlertConfig = AgeAlertConfig.model_construct()
    """node-exporter reads an old textfile."""
    PushStale: AgeAlertConfig = AgeAlertConfig.model_construct()
    """The Pushgateway holds an old push."""
    TargetDown: AlertConfig = AlertConfig.model_construct()
    """Prometheus cannot reach a target."""
    MetricsAbsent: AlertConfig = AlertConfig.model_construct()
    """A metric that alerts need is missing."""
    SourceUnreadable: AlertConfig = AlertConfig.model_construct()
    """The exporter runs but cannot read the store."""
    ServiceDown: AlertConfig = AlertConfig.model_construct()
    """A service that the exporter probes is not healthy."""
    TextfileScrapeError: AlertConfig = AlertConfig.model_construct()
    """node-exporter cannot read the textfile."""
    ReloadFailed: AlertConfig = AlertConfig.model_construct()
    """Prometheus runs on an older configuration."""
    RulesFailing: AlertConfig = AlertConfig.model_construct()
    """Prometheus cannot evaluate its rules."""
    NotificationsFailing: AlertConfig = AlertConfig.model_construct()
    """Notifications do not arrive."""
    AlertmanagerReloadFailed: AlertConfig = AlertConfig.model_construct()
    """Alertmanager runs on an older configuration."""
    RemoteWriteBehind: AgeAlertConfig = AgeAlertConfig.model_construct()
    """The remote storage lacks the newest samples."""
    DiskFilling: ShareBelowAlertConfig = ShareBelowAlertConfig.model_construct()
    """A file system of a machine is nearly full."""
    Watchdog: AlertConfig = AlertConfig.model_construct()
    """Always fires: when it stops, the alerting itself is broken."""
    ignored_endpoints: Items[_Endpoint] = _NO_WORK
    """Endpoints whose requests are not work, as probes and scrapes: alerts on errors and latency leave them out."""
    objectives: Items[ObjectiveConfig] = ()
    """Targets for the share of good requests; alerts when the error budget is used up too fast."""
    custom: Items[CustomAlertConfig] = ()
    """Alerts of your own."""

    def of(self, name: str) -> AlertConfig:
        """What is changed of the alert `name`."""
        config: AlertConfig = getattr(self, name)
        return config

    def held(self, name: str) -> timedelta:
        """How long the alert's condition must hold; ValueError where another key says that."""
        changed = self.of(name).for_
        return DEFAULT_ALERTS[name].for_ if changed is None else changed

    def severity(self, name: str) -> Severity:
        """How bad the alert is."""
        return self.of(name).severity or DEFAULT_ALERTS[name].severity

    def limit(self, name: str) -> float:
        """The number that the alert compares with; ValueError for an alert without one."""
        changed, usual = getattr(self.of(name), "threshold", None), DEFAULT_ALERTS[name].limit
        if usual is None:
            raise ValueError(f"{name} has no limit of its own")
        return usual if changed is None else float(changed)

    def oldest(self, name: str) -> timedelta:
        """The age beyond which the alert fires; ValueError for an alert without one."""
        changed, usual = getattr(self.of(name), "threshold", None), DEFAULT_ALERTS[name].oldest
        if usual is None:
            raise ValueError(f"{name} has no age of its own")
        return changed if isinstance(changed, timedelta) else usual

    @property
    def keeping(self) -> tuple[tuple[str | int, ...], ...]:
        """The places at which an alert is told to fire on."""
        built_in = [(name, "keep_firing_for") for name in BUILT_IN if self.of(name).keep_firing_for]
        custom = [
            ("custom", index, "keep_firing_for") for index, each in enumerate(self.custom) if each.keep_firing_for
        ]
        return (*built_in, *custom)

    @model_validator(mode="after")
    def _predictions_are_work(self) -> Self:
        if PREDICT in self.ignored_endpoints:
            fault = f"is {PREDICT}: requests for predictions are what HighErrorRate and HighLatency watch"
            raise MisfitError((("ignored_endpoints", self.ignored_endpoints.index(PREDICT)), fault))
        return self

    @model_validator(mode="after")
    def _names_are_distinct(self) -> Self:
        taken = set(BUILT_IN)
        faults: list[tuple[tuple[str | int, ...], str]] = []
        for index, objective in enumerate(self.objectives):
            if names := sorted(taken.intersection(objective_alerts(objective.name))):
                faults.append(
                    (("objectives", index, "name"), f"would make a second alert {names[0]!r}; choose another name")
                )
            taken.update(objective_alerts(objective.name))
        for index, alert in enumerate(self.custom):
            if alert.name in taken:
                fault = f"is {alert.name!r}, which is the name of another alert; choose another name"
                faults.append((("custom", index, "name"), fault))
            taken.add(alert.name)
        if faults:
            raise MisfitError(*faults)
        return self


def objective_alerts(objective: str) -> tuple[str, str]:
    """The names of an objective's alerts: its budget will be gone in days, or before its period ends."""
    return f"{objective}BudgetFast", f"{objective}BudgetSlow"


_NOT_ALERTS = ("ignored_endpoints", "objectives", "custom")
BUILT_IN = tuple(name for name in AlertsConfig.model_fields if name not in _NOT_ALERTS)
"""The alerts that there are without any configuration, by name."""
