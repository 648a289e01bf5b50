"""The store, predict, api and exporter sections: where predictions go and who may ask for them."""

import re
from collections.abc import Sequence
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from facemon.config.quantities import (
    HttpUrl,
    Items,
    Listen,
    ListenAddress,
    Name,
    PositiveDuration,
    SecretFile,
    Size,
    format_duration,
)
from facemon.config.section import MisfitError, Section

_PositiveInt = Annotated[int, Field(ge=1)]
_SCRAPE_TIMEOUT = timedelta(seconds=10)
_HOST_NAME = re.compile(r"\*|\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]")
_Provider = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*$")]


def _network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError as error:
        raise ValueError(
            f"{text!r} is not an address or network: write 10.0.0.7 or 10.0.0.0/8"
            + (", without bits after the prefix" if "host bits" in str(error) else "")
        ) from None
    return text


def parse_instance(text: str) -> str:
    """The name of an instance of the API; ValueError if it cannot be one."""
    if not (text.strip() == text != "" and text.isprintable() and len(text) <= 200) or text == "*":
        raise ValueError(f"{text!r} is not a name: write up to 200 printable characters, like api-1")
    return text


def _host_name(text: str) -> str:
    if not _HOST_NAME.fullmatch(text):
        raise ValueError(
            f'{text!r} is not a host: write faces.example.org, .example.org or "*", without scheme and port'
        )
    return text.lower()


_HostName = Annotated[str, AfterValidator(_host_name)]
_NetworkText = Annotated[str, AfterValidator(_network)]


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
    instance: Annotated[Name, AfterValidator(parse_instance)] | None = None
    """Whose request counters these are, where APIs share a store; none = the host name and the address."""
    cache_size: Annotated[int, Field(ge=0)] = 1024
    max_body: Size = 16 * 2**20
    max_pixels: _PositiveInt = 50_000_000
    max_in_flight: _PositiveInt = 64
    """Images that have arrived and are being predicted at once; more are refused with 503."""
    max_arriving: _PositiveInt = 512
    """Bodies that are arriving at once; a client may have a quarter of them, and of their bytes."""
    max_arriving_bytes: Size = 256 * 2**20
    """Memory for bodies that are arriving; one of `max_body` has room in any case."""
    sources: Annotated[Items[Name], AfterValidator(_distinct)] = ()
    """Names of sources that requests may always bring."""
    max_sources: Annotated[int, Field(ge=0)] = 64
    """Further names that they may bring; images of others are logged as source `other`."""
    max_connections: _PositiveInt = 4096
    trusted_proxies: Items[_NetworkText] = ()
    """Addresses and networks whose X-Forwarded-For says who the client is."""
    allowed_hosts: Items[_HostName] = ()
    """Host names of this API besides addresses and private names: a host, `.DOMAIN` for all below it, `*` for all."""
    workers: _PositiveInt | None = None
    """Processes that predict; none = one for each core."""
    access_log: bool = True
    """Whether each request leaves a line of JSON on stderr; those that succeed of health, ready and metrics do not."""
    timeout: PositiveDuration = timedelta(seconds=30)
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
    probe_interval: PositiveDuration = timedelta(seconds=15)
    probe_timeout: PositiveDuration = timedelta(seconds=5)
    collectors: Items[Annotated[str, Field(pattern=r"^[\w.]+:\w+$")]] = ()
    """Import paths of objects with a `collect()`; the folder of facemon.yaml is searched too."""
    collector_timeout: PositiveDuration = timedelta(seconds=2)

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
