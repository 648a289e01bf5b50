"""The prometheus, alerts, alertmanager, grafana and stack sections."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from facemon.config.quantities import Duration, Items, Name, PositiveDuration, SecretFile
from facemon.config.section import MisfitError, Section

Severity = Literal["critical", "warning", "info", "none"]
Job = Literal["api", "exporter", "node", "cadvisor", "prometheus", "alertmanager", "pushgateway"]
Service = Literal["prometheus", "alertmanager", "grafana", "node-exporter", "cadvisor"]
Door = Literal["exporter", "api", "textfile", "pushgateway"]
DOOR_JOBS: Mapping[Door, Job] = {
    "exporter": "exporter", "api": "api", "textfile": "node", "pushgateway": "pushgateway",
}  # fmt: skip
"""The scrape job that the store's metrics arrive by, for each door that they leave by."""

LabelName = Annotated[str, Field(pattern=r"^([a-zA-Z]|_[a-zA-Z0-9])[a-zA-Z0-9_]*$")]
"""Names that begin with two underscores are Prometheus' own."""
_Url = Annotated[str, Field(pattern=r"^https?://[^\s/@]+(/\S*)?$")]
"""A user and password before the host would be a secret in the open."""
_Replicas = Annotated[int, Field(ge=1, le=9)]
_SCRAPES_PER_WINDOW = 4


class BasicAuthConfig(Section):
    """A user and the file that holds the password."""

    username: Name
    password_file: SecretFile


class RemoteWriteConfig(Section):
    """A remote storage that Prometheus writes to."""

    url: _Url
    basic_auth: BasicAuthConfig | None = None
    bearer_token_file: SecretFile | None = None


class PrometheusConfig(Section):
    """How Prometheus scrapes, and which one door the store's metrics leave by."""

    scrape_interval: PositiveDuration = timedelta(seconds=15)
    evaluation_interval: PositiveDuration | None = None
    """None = as often as it scrapes."""
    rate_window: PositiveDuration | None = None
    """What rates are taken over; none = 5m, or four scrapes where that is longer."""
    retention: PositiveDuration = timedelta(days=15)
    store_metrics_from: Door = "exporter"
    targets: Mapping[Job, Annotated[Items[Name], Field(min_length=1)]] = Field(default_factory=dict)
    """A scrape job to its `host:port` targets; a job that is not named keeps the compose service's own."""
    jobs: Annotated[Items[Job], Field(min_length=1)] = (
        "api", "exporter", "node", "cadvisor", "prometheus", "alertmanager",
    )  # fmt: skip
    alertmanagers: Items[Name] = ("alertmanager:9093",)
    external_labels: Mapping[LabelName, str] = Field(default_factory=dict)
    remote_write: Items[RemoteWriteConfig] = ()
    replicas: _Replicas = 1

    @property
    def window(self) -> timedelta:
        """The window of every rate in the rules."""
        return self.rate_window or max(timedelta(minutes=5), _SCRAPES_PER_WINDOW * self.scrape_interval)

    @model_validator(mode="after")
    def _rates_have_samples(self) -> Self:
        if self.window < _SCRAPES_PER_WINDOW * self.scrape_interval:
            raise ValueError(f"rate_window must hold {_SCRAPES_PER_WINDOW} scrapes: one lost scrape would make gaps")
        return self

    @model_validator(mode="after")
    def _the_door_is_scraped(self) -> Self:
        job = DOOR_JOBS[self.store_metrics_from]
        if job not in self.jobs:
            raise ValueError(
                f"store_metrics_from is {self.store_metrics_from!r}, but jobs lacks {job!r}: nothing would arrive"
            )
        if len(set(self.jobs)) != len(self.jobs):
            raise ValueError("jobs names a job twice")
        return self


class AlertConfig(Section):
    """What may be changed of an alert; none = as facemon has it."""

    enabled: bool = True
    for_: Duration | None = Field(default=None, alias="for")
    severity: Severity | None = None
    labels: Mapping[LabelName, str] = Field(default_factory=dict)
    annotations: Mapping[LabelName, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _labels_are_free(self) -> Self:
        for label in ("alertname", "severity"):
            if label in self.labels:
                raise ValueError(f"labels sets {label!r}, which is set elsewhere")
        return self


class SecondsAlertConfig(AlertConfig):
    """An alert on seconds above a threshold, which must be an edge of the histogram's buckets."""

    threshold: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


class ShareAboveAlertConfig(AlertConfig):
    """An alert on a share above a threshold; above 1 there is nothing."""

    threshold: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] | None = None


class ShareBelowAlertConfig(AlertConfig):
    """An alert on a share below a threshold; below 0 there is nothing."""

    threshold: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = None


class AgeAlertConfig(AlertConfig):
    """An alert on what has not happened for longer than a threshold."""

    threshold: PositiveDuration | None = None


class CustomAlertConfig(Section):
    """An alert of the user's own."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200)]
    expr: Annotated[str, Field(min_length=1)]
    for_: Duration = Field(default=timedelta(0), alias="for")
    severity: Severity = "warning"
    summary: Annotated[str, Field(min_length=1)]
    description: str = ""


class AlertsConfig(Section):
    """The default alerts and the guards around them, each with what is changed of it."""

    HighLatency: SecondsAlertConfig = SecondsAlertConfig()
    HighErrorRate: ShareAboveAlertConfig = ShareAboveAlertConfig()
    ModelNotLoaded: AlertConfig = AlertConfig()
    DriftDetected: ShareAboveAlertConfig = ShareAboveAlertConfig()
    LowModelAccuracy: ShareBelowAlertConfig = ShareBelowAlertConfig()
    DriftVerdict: AlertConfig = AlertConfig()
    DriftUndecided: AlertConfig = AlertConfig()
    DriftCheckStale: AgeAlertConfig = AgeAlertConfig()
    TargetDown: AlertConfig = AlertConfig()
    MetricsAbsent: AlertConfig = AlertConfig()
    SourceUnreadable: AlertConfig = AlertConfig()
    ServiceDown: AlertConfig = AlertConfig()
    TextfileScrapeError: AlertConfig = AlertConfig()
    ReloadFailed: AlertConfig = AlertConfig()
    RulesFailing: AlertConfig = AlertConfig()
    NotificationsFailing: AlertConfig = AlertConfig()
    Watchdog: AlertConfig = AlertConfig()
    custom: Items[CustomAlertConfig] = ()

    def of(self, name: str) -> AlertConfig:
        """What is changed of the alert `name`."""
        config: AlertConfig = getattr(self, name)
        return config

    @model_validator(mode="after")
    def _names_are_distinct(self) -> Self:
        names = [*AlertsConfig.model_fields, *(alert.name for alert in self.custom)]
        for alert in self.custom:
            if names.count(alert.name) > 1:
                raise ValueError(f"custom: the name {alert.name!r} is taken; give the alert another")
        return self


NULL_RECEIVER = "null"
"""The receiver of what nobody needs to be told."""


class EmailConfig(Section):
    """An email receiver; the server is `alertmanager.smtp`."""

    to: Name
    send_resolved: bool = True


class SlackConfig(Section):
    """A Slack receiver."""

    api_url_file: SecretFile
    channel: Name
    send_resolved: bool = True


class WebhookConfig(Section):
    """A receiver that gets Alertmanager's JSON by HTTP POST."""

    url: _Url
    send_resolved: bool = True


class ReceiverConfig(Section):
    """A named set of ways to tell somebody."""

    name: Name
    email: Items[EmailConfig] = ()
    slack: Items[SlackConfig] = ()
    webhook: Items[WebhookConfig] = ()


class RouteConfig(Section):
    """Alerts whose labels equal all of `match` go to `receiver`."""

    match: Mapping[LabelName, str] = Field(min_length=1)
    receiver: Name
    continue_: bool = Field(default=False, alias="continue")


class SmtpConfig(Section):
    """The server that emails leave by."""

    smarthost: Annotated[str, Field(pattern=r"^[^:\s]+:\d+$")]
    from_: Name = Field(alias="from")
    username: str | None = None
    password_file: SecretFile | None = None
    require_tls: bool = True


class AlertmanagerConfig(Section):
    """Who is told of what; the first receiver gets what no route claims."""

    smtp: SmtpConfig | None = None
    receivers: Items[ReceiverConfig] = ()
    routes: Items[RouteConfig] = ()
    group_by: Items[LabelName] = ("alertname", "attribute")
    group_wait: Duration = timedelta(seconds=30)
    group_interval: PositiveDuration = timedelta(minutes=5)
    repeat_interval: PositiveDuration = timedelta(hours=4)
    replicas: _Replicas = 1

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        names = [receiver.name for receiver in self.receivers]
        if NULL_RECEIVER in names:
            raise ValueError(f"no receiver may be named {NULL_RECEIVER!r}: that is the one that tells nobody")
        faults: list[tuple[tuple[str | int, ...], str]] = []
        for index, name in enumerate(names):
            if name in names[:index]:
                faults.append((("receivers", index, "name"), f"is {name!r}, as an earlier receiver is named already"))
        for index, route in enumerate(self.routes):
            if route.receiver not in names:
                known = ", ".join(names) or "there are none"
                faults.append((("routes", index, "receiver"), f"is {route.receiver!r}, no receiver's name ({known})"))
        for index, receiver in enumerate(self.receivers):
            if receiver.email and self.smtp is None:
                faults.append((("receivers", index, "email"), "needs alertmanager.smtp, the server to send by"))
        if faults:
            raise MisfitError(*faults)
        return self


class GrafanaConfig(Section):
    """Grafana as the stack starts it."""

    admin_password_file: SecretFile | None = None
    root_url: _Url = "http://localhost:3000"


class StackConfig(Section):
    """The containers of the rendered stack."""

    images: Mapping[
        Service, Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._/:-]*(:[A-Za-z0-9._-]+|@sha256:[0-9a-f]{64})$")]
    ] = Field(default_factory=dict)
    """A service to the image that it runs, with its version; those that are not named run facemon's choice."""
    listen: Name = "127.0.0.1"
    runbook_url: _Url | None = None
    """Where the rendered runbooks are published; none = their path below the output folder."""
    secrets_dir: Annotated[str, Field(pattern=r"^/[^\s:]*$")] = "/run/secrets"
    """The folder in which Prometheus and Alertmanager see the secrets' files: where compose mounts them, by default."""

    @model_validator(mode="after")
    def _images_are_pinned(self) -> Self:
        for service, image in self.images.items():
            if image.endswith(":latest"):
                raise ValueError(f"images.{service}: name a version; latest is another one every week")
        return self
