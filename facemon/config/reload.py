"""The stack.reload section: how render-config --reload makes the running servers read their files again."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from facemon.config.quantities import FilePath, HttpUrl, Timeout
from facemon.config.section import MisfitError, Section

Server = Literal["prometheus", "alertmanager"]
Way = Literal["compose", "systemd", "pid_file", "endpoint"]
_KEY_OF_WAY: dict[Way, str] = {"systemd": "unit", "pid_file": "pid_file"}


class ReloadConfig(Section):
    """How one server learns that its files changed, and where it says what it made of them."""

    by: Way
    """compose, systemd and pid_file send SIGHUP; endpoint is Alertmanager's own `/-/reload`."""
    unit: Annotated[str, Field(pattern=r"^[A-Za-z0-9@_.:\\][A-Za-z0-9@_.:\\-]*$", max_length=255)] | None = None
    """The unit of systemd."""
    pid_file: FilePath | None = None
    """The file that holds the number of the process, relative to facemon.yaml."""
    url: HttpUrl | None = None
    """Where the server listens; none = where the rendered stack opens it, or its usual port on this machine."""

    @model_validator(mode="after")
    def _has_what_its_way_needs(self) -> Self:
        needed = _KEY_OF_WAY.get(self.by)
        if needed is not None and getattr(self, needed) is None:
            raise MisfitError(((needed,), f"is missing: by {self.by} needs it"))
        given = [key for key in ("unit", "pid_file") if getattr(self, key) is not None and key != needed]
        if given:
            raise MisfitError(*(((key,), f"is not read where by is {self.by}") for key in given))
        return self


class ReloadsConfig(Section):
    """How each server is made to read its files again; none = by compose, which runs the rendered stack."""

    prometheus: ReloadConfig | None = None
    """How Prometheus is told."""
    alertmanager: ReloadConfig | None = None
    """How Alertmanager is told."""
    timeout: Timeout = timedelta(seconds=30)
    """How long a server may take to say what it made of its files."""

    @model_validator(mode="after")
    def _prometheus_has_no_endpoint(self) -> Self:
        if self.prometheus is not None and self.prometheus.by == "endpoint":
            fault = "must not be endpoint: Prometheus opens /-/quit together with /-/reload; use systemd or pid_file"
            raise MisfitError((("prometheus", "by"), fault))
        return self
