"""The store, predict, api and exporter sections: where predictions go and who may ask for them."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from facemon.config.quantities import Items, Listen, ListenAddress, Name, PositiveDuration, SecretFile, Size
from facemon.config.section import Section

_PositiveInt = Annotated[int, Field(ge=1)]
_Provider = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*$")]


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) != len(names):
        raise ValueError("names one twice")
    return names


class StoreConfig(Section):
    """Where the log lives and for how long."""

    path: Path = Field(default=Path(".facemon"), strict=False)
    retention_days: _PositiveInt = 90


class PredictConfig(Section):
    """Limits that are checked before an image is decoded, and the number of workers."""

    threads: _PositiveInt | None = None
    """Workers; none = one for each core."""
    max_pixels: _PositiveInt = 100_000_000
    max_bytes: Size = 256 * 2**20
    decode: Literal["exact", "fast"] | None = None
    """`fast` decodes a JPEG at a smaller scale, at least twice what is needed; none = exact with a face finder."""
    providers: Annotated[Items[_Provider], Field(min_length=1), AfterValidator(_distinct)] = ("cpu",)
    """onnxruntime's execution providers, the preferred first; what one cannot run falls to the next, then to cpu."""


class ApiConfig(Section):
    """The ML API."""

    listen: ListenAddress = Listen("127.0.0.1", 8000)
    cache_size: Annotated[int, Field(ge=0)] = 1024
    max_body: Size = 16 * 2**20
    max_pixels: _PositiveInt = 50_000_000
    max_in_flight: _PositiveInt = 64
    """Images that are being read or predicted at once; more are refused with 503."""
    max_connections: _PositiveInt = 4096
    workers: _PositiveInt | None = None
    """Processes that predict; none = one for each core."""
    access_log: bool = True
    """Whether each request leaves a line of JSON on stderr; those that succeed of health, ready and metrics do not."""
    timeout: PositiveDuration = timedelta(seconds=30)
    tokens_file: SecretFile | None = None


class ProbeConfig(Section):
    """An external service whose health the exporter asks after."""

    name: Name
    url: Annotated[str, Field(pattern=r"^https?://[^\s/@]+(/\S*)?$")]
    """A user and password before the host would be a secret in the open."""


class ExporterConfig(Section):
    """The metrics exporter."""

    listen: ListenAddress = Listen("127.0.0.1", 8001)
    probes: Items[ProbeConfig] = ()
    probe_interval: PositiveDuration = timedelta(seconds=15)
    probe_timeout: PositiveDuration = timedelta(seconds=5)
    collectors: Annotated[Items[Annotated[str, Field(pattern=r"^[\w.]+:\w+$")]], AfterValidator(_distinct)] = ()
    """Import paths, `package.module:Name`, of objects with `collect()`, or of what makes one."""
    collector_timeout: PositiveDuration = timedelta(seconds=2)

    @model_validator(mode="after")
    def _probes_are_told_apart(self) -> Self:
        if self.probe_timeout >= self.probe_interval:
            raise ValueError("probe_timeout must be shorter than probe_interval")
        names = [probe.name for probe in self.probes]
        if double := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"probes: two have the name {double!r}")
        return self
