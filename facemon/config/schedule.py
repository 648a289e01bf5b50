"""The schedule section: what runs by the clock, and what starts it."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from facemon.config.cron_times import CronTimes
from facemon.config.quantities import HttpUrl, Items, Name
from facemon.config.section import MisfitError, Section

Target = Literal["cron", "systemd", "github", "airflow", "kubernetes"]
Path = Annotated[str, Field(pattern=r"^/[^\x00-\x1f\x7f]*$")]
"""An absolute path on the machine where the schedule runs."""
_KubernetesName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
_SHORTEST_ON_GITHUB = timedelta(minutes=5)
"""GitHub starts a scheduled workflow no more often."""
_OF_A_PUSH = ("user", "password_file", "token_file", "ca_file")


class ScheduledExportConfig(Section):
    """When export-metrics runs, and where to: the options of that command, on the machine that has the store."""

    times: str = "*/15 * * * *"
    """Minute, hour, day of the month, month, weekday, as in a crontab; UTC."""
    textfile: Annotated[str, Field(pattern=r"^/[^\x00-\x1f\x7f]+/[^/\x00-\x1f\x7f]+\.prom$")] | None = None
    """The file to write, for node-exporter: an absolute path that ends in .prom."""
    pushgateway: HttpUrl | None = None
    """In its place: the address of the Pushgateway to push to."""
    user: Annotated[str, Field(pattern=r"^[^:\x00-\x1f\x7f]+$")] | None = None
    """The user at the Pushgateway, with `password_file`."""
    password_file: Path | None = None
    """The file that holds the user's password: an absolute path."""
    token_file: Path | None = None
    """In the place of a user: the file that holds a token, an absolute path."""
    ca_file: Path | None = None
    """The authorities that the Pushgateway's certificate is checked against: an absolute path."""

    @model_validator(mode="after")
    def _has_one_end(self) -> Self:
        _parse(self.times, "times")
        if (self.textfile is None) == (self.pushgateway is None):
            raise MisfitError(((), "needs a textfile or a pushgateway, and not both"))
        if self.pushgateway is not None:
            self._can_be_pushed_to(self.pushgateway)
        given = [key for key in _OF_A_PUSH if getattr(self, key) is not None]
        if given and self.textfile is not None:
            raise MisfitError(*(((key,), "is for a push, not for a textfile") for key in given))
        if (self.user is None) != (self.password_file is None):
            raise MisfitError(((), "needs user and password_file together"))
        if self.user is not None and self.token_file is not None:
            raise MisfitError((("token_file",), "is another way than user and password_file: write one of them"))
        return self

    def _can_be_pushed_to(self, url: str) -> None:
        """MisfitError for what `export-metrics --pushgateway` refuses each time that it runs."""
        if not re.fullmatch(r"https?://[!-~]+", url) or set("@?#") & set(url):
            raise MisfitError((("pushgateway",), "must be http://HOST:9091, without a user, a query and a fragment"))
        if self.ca_file is not None and not url.startswith("https://"):
            raise MisfitError((("ca_file",), "is for https, and pushgateway is not"))

    @property
    def options(self) -> Mapping[str, str]:
        """The options of `export-metrics` by their names, without dashes, in one order."""
        values = {key: getattr(self, key) for key in ("textfile", "pushgateway", *_OF_A_PUSH)}
        return {key.replace("_", "-"): str(value) for key, value in values.items() if value is not None}


class ShardsConfig(Section):
    """A manifest that a Kubernetes Indexed Job predicts in shards, each of which a pod delivers to one log."""

    manifest: Annotated[str, Field(pattern=r"^(/[^/:\x00-\x1f\x7f]+){2,}$")]
    """The manifest's path in the pods, e.g. /manifests/november.parquet; its folder is the volume of `claim`."""
    claim: _KubernetesName
    """The PersistentVolumeClaim with the manifest, which pods of all nodes can mount."""
    number: Annotated[int, Field(ge=1, le=100_000)]
    """How many shards; choose it so that a shard takes minutes."""
    deliver: Annotated[str, Field(pattern=r"^(s3|gs|az)://[!-?A-~]+$")]
    """The log: s3://bucket/log/, gs://… or az://…."""
    parallelism: Annotated[int, Field(ge=1, le=1000)] = 8
    """Pods at once."""
    retries: Annotated[int, Field(ge=0, le=100)] = 3
    """How often a shard is tried again after exit code 1."""
    cpus: Annotated[int, Field(ge=1, le=1024)] = 1
    """Cores, and workers, of a pod."""
    memory: Annotated[str, Field(pattern=r"^[1-9][0-9]*(Mi|Gi)$")] = "2Gi"
    """The most that a pod may take."""
    secret: _KubernetesName | None = None
    """The Secret whose keys are the variables with the storage's credentials; unset = the service account's."""
    service_account: _KubernetesName | None = None
    """The service account of the pods, where it has the rights; unset = the namespace's."""


_READERS: Mapping[str, tuple[Target, ...]] = {
    "export": ("cron", "systemd"), "user": ("cron", "systemd"), "runner": ("github",), "retrain": ("airflow",),
    "shards": ("kubernetes",),
}  # fmt: skip
"""The targets that a key of the schedule is for; the others are for all."""


class ScheduleConfig(Section):
    """Schedules for facemon, and the schedulers that start it; without targets nothing is rendered."""

    drift_check: str = "0 2 * * *"
    """Minute, hour, day of the month, month, weekday, as in a crontab; UTC."""
    checks: Annotated[Items[Literal["data", "model"]], Field(min_length=1)] = ("data", "model")
    """Which checks it runs, and DriftCheckStale watches."""
    targets: Items[Target] = ()
    """Schedulers to render for: cron, systemd, github, airflow, kubernetes."""
    export: ScheduledExportConfig | None = None
    """export-metrics by the clock too; for cron and systemd."""
    directory: Path | None = None
    """This file's folder on the machine that runs the check; unset = the one it is in."""
    command: Annotated[str, Field(pattern=r"^(/[^\x00-\x1f\x7f]+|[A-Za-z0-9][A-Za-z0-9._-]*)$")] = "facemon"
    """The command there, e.g. /opt/facemon/bin/facemon; a name is looked up by the target."""
    user: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")] = "facemon"
    """The user that runs the command under cron and systemd."""
    runner: Annotated[Items[Name], Field(min_length=1)] = ("self-hosted",)
    """Labels of the GitHub runner there, which has the log."""
    shards: ShardsConfig | None = None
    """A manifest that an Indexed Job predicts in shards; for kubernetes."""
    retrain: Items[Name] = ()
    """What Airflow runs after drift, e.g. [./retrain.sh, --now]; the JSON is on its stdin.

    A command, which is run without a shell.
    """

    @model_validator(mode="after")
    def _comes_as_its_targets_can_tell(self) -> Self:
        times = _parse(self.drift_check, "drift_check")
        if len(set(self.targets)) != len(self.targets):
            raise MisfitError((("targets",), "names a target twice"))
        if len(set(self.checks)) != len(self.checks):
            raise MisfitError((("checks",), "names a check twice"))
        if "github" in self.targets and times.shortest_gap() < _SHORTEST_ON_GITHUB:
            raise MisfitError((("drift_check",), "github starts nothing twice within 5 minutes"))
        fields = type(self).model_fields
        ignored = [
            ((key,), f"is for {' and '.join(readers)}, which targets does not name")
            for key, readers in _READERS.items()
            if getattr(self, key) != fields[key].default and not set(readers).intersection(self.targets)
        ]
        if ignored:
            raise MisfitError(*ignored)
        return self


def _parse(line: str, key: str) -> CronTimes:
    try:
        return CronTimes.parse(line)
    except ValueError as error:
        raise MisfitError(((key,), str(error))) from None
