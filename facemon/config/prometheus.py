"""The prometheus section: what is scraped, within which limits, and who gets a copy."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from facemon.config.default_limits import ScrapeLimits
from facemon.config.durations import format_duration
from facemon.config.metrics import RESERVED_LABELS
from facemon.config.quantities import (
    HttpUrl,
    Items,
    LabelName,
    LabelValue,
    Name,
    PositiveDuration,
    Replicas,
    SecretFile,
)
from facemon.config.section import MisfitError, Section

Job = Literal["api", "exporter", "node", "cadvisor", "prometheus", "alertmanager", "pushgateway"]
Transport = Literal["exporter", "api", "textfile", "pushgateway"]
TRANSPORT_JOBS: Mapping[Transport, Job] = {
    "exporter": "exporter", "api": "api", "textfile": "node", "pushgateway": "pushgateway",
}  # fmt: skip
"""The scrape job that the store's metrics arrive by, for each transport that they leave by."""
_JOBS: tuple[Job, ...] = ("api", "exporter", "node", "cadvisor", "prometheus", "alertmanager")
REPLICA_LABEL = "replica"
"""Tells two Prometheus servers apart that see the same; no alert carries it."""

_MetricPattern = Annotated[str, Field(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*\*?$", max_length=200)]
_Target = Annotated[str, Field(pattern=r"^(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):\d{1,5}$", max_length=200)]
_JobName = Annotated[str, Field(pattern=r"^[^\s\x00-\x1f]+$", max_length=200)]
_Count = Annotated[int, Field(ge=1)]
_KEEPS_FIRING = (2, 42)
"""The first Prometheus that knows keep_firing_for."""
_OLDEST = (2, 27)
"""The first Prometheus that knows label_limit, and with it all else that is rendered."""
_SCRAPES_PER_WINDOW = 4
_LONGEST_INTERVAL = timedelta(minutes=2, seconds=30)
"""Prometheus takes a sample for the present for 5 minutes: one may be lost before alerts come and go."""


class BasicAuthConfig(Section):
    """A user and the file that holds the password."""

    username: Name
    """The user."""
    password_file: SecretFile
    """The file that holds the password."""


class TlsConfig(Section):
    """Certificates, each a file in PEM; without a `ca_file` the system's authorities are trusted."""

    ca_file: SecretFile | None = None
    """The authorities that the server's certificate is checked against."""
    cert_file: SecretFile | None = None
    """The certificate that Prometheus shows."""
    key_file: SecretFile | None = None
    """The key of that certificate."""
    server_name: Name | None = None
    """The name that the server's certificate must have; unset = the host of the address."""

    @model_validator(mode="after")
    def _a_certificate_has_a_key(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file come together: a client shows one and proves it with the other")
        return self


class QueueConfig(Section):
    """How samples wait for a remote storage; none = as Prometheus has it."""

    capacity: _Count | None = None
    """Samples that wait in each shard."""
    min_shards: _Count | None = None
    """The least number of parallel senders."""
    max_shards: _Count | None = None
    """The highest number of parallel senders."""
    max_samples_per_send: _Count | None = None
    """Samples in one request, at most."""
    batch_send_deadline: PositiveDuration | None = None
    """How long samples wait until a request is full."""
    min_backoff: PositiveDuration | None = None
    """The first wait before a failed request is repeated; it is doubled each time."""
    max_backoff: PositiveDuration | None = None
    """The longest wait before a failed request is repeated."""

    @model_validator(mode="after")
    def _the_least_is_not_above_the_most(self) -> Self:
        if self.min_shards and self.max_shards and self.min_shards > self.max_shards:
            raise ValueError("min_shards is above max_shards")
        if self.min_backoff and self.max_backoff and self.min_backoff > self.max_backoff:
            raise ValueError("min_backoff is longer than max_backoff")
        return self


class RemoteWriteConfig(Section):
    """A remote storage that Prometheus writes to."""

    url: HttpUrl
    """The address that samples are written to."""
    name: Name | None = None
    """Its name in Prometheus' own metrics and log."""
    basic_auth: BasicAuthConfig | None = None
    """A user and a password."""
    bearer_token_file: SecretFile | None = None
    """The file that holds a token."""
    tls: TlsConfig | None = None
    """Certificates of a connection by https."""
    keep: Items[_MetricPattern] = ()
    """The only metrics that are sent; `name*` is all that begin so. None = all."""
    queue: QueueConfig = QueueConfig.model_construct()

    @model_validator(mode="after")
    def _one_identity(self) -> Self:
        if self.basic_auth is not None and self.bearer_token_file is not None:
            raise ValueError("basic_auth and bearer_token_file exclude each other: Prometheus sends one of them")
        return self


_LIMITS = ScrapeLimits()


class ScrapeLimitsConfig(Section):
    """What a scrape may bring at most; one that brings more is refused whole, and TargetDown fires."""

    samples: _Count = _LIMITS.samples
    """Samples of a scrape."""
    labels: _Count = _LIMITS.labels
    """Labels of a series."""
    label_name_length: _Count = _LIMITS.label_name_length
    """Bytes of a label's name."""
    label_value_length: _Count = _LIMITS.label_value_length
    """Bytes of a label's value."""

    def plain(self) -> ScrapeLimits:
        """The same without the schema."""
        return ScrapeLimits(**self.model_dump())


def default_jobs(transport: Transport) -> tuple[Job, ...]:
    """Return what is scraped by default: the rendered stack, and what brings the metrics of the store."""
    return _JOBS if TRANSPORT_JOBS[transport] in _JOBS else (*_JOBS, TRANSPORT_JOBS[transport])


class PrometheusConfig(Section):
    """How Prometheus scrapes, and by which one way the store's metrics leave."""

    target_version: Annotated[str, Field(pattern=r"^\d+\.\d+$")] = "2.42"
    """The oldest Prometheus that is to read the files; 2.27 or newer."""
    url: HttpUrl = "http://localhost:9090"
    """Its address in a browser: links in notifications begin with it."""
    scrape_interval: PositiveDuration = timedelta(seconds=15)
    """At most 2m30s: after 5m Prometheus forgets a sample."""
    evaluation_interval: PositiveDuration | None = None
    """Of rules; unset = as often as it scrapes."""
    rate_window: PositiveDuration | None = None
    """What rates are taken over; unset = 5m, or four scrapes where that is longer."""
    retention: PositiveDuration = timedelta(days=15)
    """How long Prometheus keeps samples."""
    store_metrics_from: Transport = "exporter"
    """How the store's metrics leave: exporter, api, textfile or pushgateway."""
    targets: Mapping[Job, Annotated[Items[_Target], Field(min_length=1)]] = Field(default_factory=dict)
    """Host:port of a job, where it is not the rendered stack's, e.g. {api: ["ml:8000"]}.

    A job that is not named keeps the target of the compose service.
    """
    jobs: Annotated[Items[Job], Field(min_length=1)] = Field(
        default_factory=lambda known: default_jobs(known.get("store_metrics_from", "exporter"))
    )
    """What is scraped, also pushgateway; unset = what
    fits stack.for."""
    job_names: Mapping[Job, _JobName] = Field(default_factory=dict)
    """What a job is called in your Prometheus, e.g. {api: face-api, node: node-exporter}."""
    target_labels: Mapping[LabelName, LabelValue] = Field(default_factory=dict)
    """Labels of all targets of these jobs and of no others, e.g. {namespace: faces}.

    Rules select by them.
    """
    limits: ScrapeLimitsConfig = ScrapeLimitsConfig.model_construct()
    """Of one scrape, at most."""
    alertmanagers: Items[_Target] | None = None
    """Where alerts are sent; unset = to the rendered stack's own."""
    external_labels: Mapping[LabelName, LabelValue] = Field(default_factory=dict)
    """Labels that identify this Prometheus, e.g. {site: north}."""
    remote_write: Items[RemoteWriteConfig] = ()
    """Remote storages that receive a copy of the samples."""
    replicas: Replicas = 1
    """Two or more: alike but for a replica label that alerts do not carry."""

    @property
    def version(self) -> tuple[int, int]:
        """The target version as numbers, which compare."""
        major, minor = self.target_version.split(".")
        return int(major), int(minor)

    @property
    def keeps_firing(self) -> bool:
        """Whether an alert may fire on through a gap: the key is unknown to older versions."""
        return self.version >= _KEEPS_FIRING

    @property
    def gap(self) -> timedelta:
        """What alerts fire on for, so that a restart of an exporter does not end them: three scrapes, an evaluation."""
        return 3 * self.scrape_interval + (self.evaluation_interval or self.scrape_interval)

    @property
    def window(self) -> timedelta:
        """The window of every rate in the rules."""
        return self.rate_window or max(timedelta(minutes=5), self.shortest_window)

    @property
    def shortest_window(self) -> timedelta:
        """The shortest window that has a rate although a scrape is lost."""
        return _SCRAPES_PER_WINDOW * self.scrape_interval

    def job_name(self, job: Job) -> str:
        """What a scrape job is called in Prometheus, which is its targets' label `job`."""
        return self.job_names.get(job, job)

    @model_validator(mode="after")
    def _the_files_can_be_read(self) -> Self:
        if self.version < _OLDEST:
            fault = f"is {self.target_version}; facemon writes for {_OLDEST[0]}.{_OLDEST[1]} and newer"
            raise MisfitError((("target_version",), fault))
        return self

    @model_validator(mode="after")
    def _samples_last_until_the_next(self) -> Self:
        intervals = {"scrape_interval": self.scrape_interval, "evaluation_interval": self.evaluation_interval}
        longest = format_duration(_LONGEST_INTERVAL)
        fault = f"must be at most {longest}: Prometheus forgets a sample after 5m, so that alerts would come and go"
        if faults := [((key,), fault) for key, value in intervals.items() if value and value > _LONGEST_INTERVAL]:
            raise MisfitError(*faults)
        return self

    @model_validator(mode="after")
    def _what_is_named_is_scraped(self) -> Self:
        fault = "is not a job that is scraped; name it in jobs, or leave it out here"
        keys = {"targets": self.targets, "job_names": self.job_names}
        if faults := [((key, job), fault) for key, named in keys.items() for job in named if job not in self.jobs]:
            raise MisfitError(*faults)
        return self

    @model_validator(mode="after")
    def _jobs_have_names_of_their_own(self) -> Self:
        names = [self.job_name(job) for job in self.jobs]
        fault = "is the name of another job; Prometheus refuses two jobs of one name"
        if faults := [(("job_names", job), fault) for job, name in self.job_names.items() if names.count(name) > 1]:
            raise MisfitError(*faults)
        return self

    @model_validator(mode="after")
    def _labels_of_targets_are_free(self) -> Self:
        faults: list[tuple[tuple[str | int, ...], str]] = []
        for name, value in self.target_labels.items():
            if name in RESERVED_LABELS or name in self.external_labels:
                fault = "is a label that metrics, alerts or this Prometheus server have already; give it another name"
                faults.append((("target_labels", name), fault))
            elif not value:
                faults.append((("target_labels", name), "is empty: Prometheus drops a label without a value"))
        if faults:
            raise MisfitError(*faults)
        return self

    @model_validator(mode="after")
    def _rates_have_samples(self) -> Self:
        if self.window < self.shortest_window:
            raise ValueError(f"rate_window must hold {_SCRAPES_PER_WINDOW} scrapes: one lost scrape would make gaps")
        return self

    @model_validator(mode="after")
    def _the_transport_is_scraped(self) -> Self:
        job = TRANSPORT_JOBS[self.store_metrics_from]
        if job not in self.jobs:
            raise ValueError(
                f"store_metrics_from is {self.store_metrics_from!r}, but jobs lacks {job!r}: nothing would arrive"
            )
        if len(set(self.jobs)) != len(self.jobs):
            raise ValueError("jobs names a job twice")
        return self

    @model_validator(mode="after")
    def _remotes_can_be_told_apart(self) -> Self:
        faults: list[tuple[tuple[str | int, ...], str]] = []
        for index, remote in enumerate(self.remote_write):
            before = self.remote_write[:index]
            if remote in before:
                faults.append((("remote_write", index), "stands there already"))
            elif remote.name is not None and remote.name in [each.name for each in before]:
                faults.append((("remote_write", index, "name"), "is the name of another remote storage"))
        if faults:
            raise MisfitError(*faults)
        return self

    @model_validator(mode="after")
    def _replicas_can_be_told_apart(self) -> Self:
        if self.replicas > 1 and REPLICA_LABEL in self.external_labels:
            fault = f"is set for each of the {self.replicas} replicas; leave it out"
            raise MisfitError((("external_labels", REPLICA_LABEL), fault))
        return self
