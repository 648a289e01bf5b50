"""The grafana, stack and schedule sections: the containers of the rendered stack, and what runs by the clock."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from facemon.config.quantities import HttpUrl, Items, Name, SecretFile
from facemon.config.section import MisfitError, Section

Service = Literal[
    "prometheus", "alertmanager", "grafana", "node-exporter", "cadvisor", "pushgateway", "postgres", "facemon"
]
Target = Literal["cron", "systemd", "github", "airflow", "kubernetes"]
_CRON_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("weekday", 0, 6))
_CRON_PART = re.compile(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/([1-9]\d?))?")


class DatabaseConfig(Section):
    """The PostgreSQL that several Grafanas share."""

    host: Annotated[str, Field(pattern=r"^[^:\s]+:\d+$")] = "postgres:5432"
    """Where it listens; the compose file brings one of that name."""
    name: Name = "grafana"
    user: Name = "grafana"
    password_file: SecretFile


class GrafanaConfig(Section):
    """Grafana as the stack starts it."""

    admin_password_file: SecretFile | None = None
    root_url: HttpUrl = "http://localhost:3000"
    database: DatabaseConfig | None = None
    """None = a file of its own, which one Grafana can use."""


class StackConfig(Section):
    """The containers of the rendered stack."""

    images: Mapping[
        Service, Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._/:-]*(:[A-Za-z0-9._-]+|@sha256:[0-9a-f]{64})$")]
    ] = Field(default_factory=dict)
    """A service to the image that it runs, with its version; those that are not named run facemon's choice."""
    listen: Name = "127.0.0.1"
    runbook_url: HttpUrl | None = None
    """Where the rendered runbooks are published; none = their path below the output folder."""
    secrets_dir: Annotated[str, Field(pattern=r"^/[^\s:]*$")] = "/run/secrets"
    """The folder in which Prometheus and Alertmanager see the secrets' files: where compose mounts them, by default."""

    @model_validator(mode="after")
    def _images_are_pinned(self) -> Self:
        faults = [
            (("images", service), "names no version; latest is another one every week")
            for service, image in self.images.items()
            if image.endswith(":latest")
        ]
        if faults:
            raise MisfitError(*faults)
        return self


class ScheduleConfig(Section):
    """When facemon runs by itself, and what is to start it; without targets nothing is rendered."""

    drift_check: str = "0 2 * * *"
    """Minute, hour, day of the month, month, weekday, as in a crontab; UTC."""
    targets: Items[Target] = ()

    @model_validator(mode="after")
    def _is_a_crontab_line(self) -> Self:
        if fault := _cron_fault(self.drift_check):
            raise MisfitError((("drift_check",), fault))
        if len(set(self.targets)) != len(self.targets):
            raise MisfitError((("targets",), "names a target twice"))
        return self


def _cron_fault(text: str) -> str | None:
    fields = text.split(" ")
    if len(fields) != len(_CRON_FIELDS):
        return 'needs five fields, minute hour day month weekday, with one space between: "0 2 * * *"'
    for field, (name, least, most) in zip(fields, _CRON_FIELDS, strict=True):
        for part in field.split(","):
            match = _CRON_PART.fullmatch(part)
            numbers = [int(each) for each in match.groups()[:2] if each] if match else []
            if match is None or (match[3] and match[1] and not match[2]):
                return f"{part!r} is no {name}: write *, a number, a range like 1-5, or a step like */15"
            if any(not least <= number <= most for number in numbers) or sorted(numbers) != numbers:
                return f"{part!r} is no {name}, which goes from {least} to {most}"
    return None
