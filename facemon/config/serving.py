"""The store, predict, api and exporter sections: where predictions go and who may ask for them."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from facemon.config.quantities import (
    FilePath,
    HttpUrl,
    Items,
    Listen,
    ListenAddress,
    Name,
    RetentionDays,
    SecretFile,
    Size,
    Timeout,
    Workers,
    format_duration,
)
from facemon.config.section import MisfitError, Section

_PositiveInt = Annotated[int, Field(ge=1, le=2**31 - 1)]
_SCRAPE_TIMEOUT = timedelta(seconds=10)
_Provider = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*$")]


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) != len(names):
        raise ValueError("names one twice")
    return names


class StoreConfig(Section):
    """Where the log lives and for how long."""

    path: FilePath = Path(".facemon")
    retention_days: RetentionDays = 90


class PredictConfig(Section):
    """Limits that are checked before an image is decoded, and the number of workers."""

    threads: Workers | None = None
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
    cache_size: Annotated[int, Field(ge=0, le=2**31 - 1)] = 1024
    max_body: Size = 16 * 2**20
    max_pixels: _PositiveInt = 50_000_000
    max_in_flight: _PositiveInt = 64
    """Images that are being read or predicted at once; more are refused with 503."""
    max_connections: _PositiveInt = 4096
    workers: Workers | None = None
    """Processes that predict; none = one for each core."""
    access_log: bool = True
    """Whether each request leaves a line of JSON on stderr; those that succeed of health, ready and metrics do not."""
    timeout: Timeout = timedelta(seconds=30)
    tokens_file: SecretFile | None = None


def _askable(url: str) -> str:
    if not url.isascii():
        raise ValueError("may hold ASCII only: write other characters of a path as %xx, of a host as xn--…")
    return url


class ProbeConfig(Section):
    """An external service whose health the exporter asks after."""

    name: Name
    url: Annotated[HttpUrl, AfterValidator(_askable)]


class ExporterConfig(Section):
    """The metrics exporter."""

    listen: ListenAddress = Listen("127.0.0.1", 8001)
    probes: Items[ProbeConfig] = ()
    probe_interval: Timeout = timedelta(seconds=15)
    probe_timeout: Timeout = timedelta(seconds=5)
    collectors: Items[Annotated[str, Field(pattern=r"^[\w.]+:\w+$")]] = ()
    """Import paths of objects with a `collect()`; the folder of facemon.yaml is searched too."""
    collector_timeout: Timeout = timedelta(seconds=2)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        faults: list[tuple[tuple[str | int, ...], str]] = []
        if self.probe_timeout >= self.probe_interval:
            interval = format_duration(self.probe_interval)
            faults.append((("probe_timeout",), f"must be shorter than probe_interval, {interval}"))
        if self.collector_timeout >= _SCRAPE_TIMEOUT:
            limit = format_duration(_SCRAPE_TIMEOUT)
            faults.append((("collector_timeout",), f"must be shorter than {limit}, when Prometheus gives up a scrape"))
        faults += [
            (("probes", index, "name"), "is the name of another probe")
            for index in _repeated([probe.name for probe in self.probes])
        ]
        faults += [(("collectors", index), "stands there already") for index in _repeated(self.collectors)]
        if faults:
            raise MisfitError(*faults)
        return self


def _repeated(names: Sequence[str]) -> list[int]:
    """The places of names that stand before them too: two series with the same labels would break the scrape."""
    return [index for index, name in enumerate(names) if name in names[:index]]
