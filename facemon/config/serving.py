"""The store, predict, api and exporter sections: where predictions go and who may ask for them."""

import re
from collections.abc import Sequence
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from facemon.config.durations import format_duration
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
)
from facemon.config.registered_names import NameIn
from facemon.config.section import MisfitError, Section
from facemon.domain.formats.registry import FORMATS

_PositiveInt = Annotated[int, Field(ge=1, le=2**31 - 1)]
_DECODE_SECONDS = 5.0
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


_Formats = Annotated[Items[Annotated[str, NameIn(FORMATS)]], Field(min_length=1), AfterValidator(_distinct)]
_Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]


class StoreConfig(Section):
    """Where the log lives and for how long."""

    path: FilePath = Path(".facemon")
    """The folder of the log; not on a network file system."""
    retention_days: RetentionDays = 90
    """Days from a row's observation or prediction, the later one; at most 36500; see facemon store prune."""
    mode: Literal["private", "group"] = "private"
    """Who may use a new store: its user alone, or group: the members of its group too.

    The files of a private store have the mode 0600, those of a group 0660.
    """


class PredictConfig(Section):
    """Limits that are checked before an image is decoded, and the number of workers."""

    threads: Workers | None = None
    """Workers, at most 1024; unset = one for each core, within the CPU quota."""
    max_pixels: _PositiveInt = 100_000_000
    """An image with more pixels is not decoded; its row has an error."""
    max_bytes: Size = 256 * 2**20
    """The same for the size of its file."""
    max_decode_seconds: _Seconds = 10.0
    """Processor time that decoding one image may take; then it is an error row: too_slow."""
    max_decode_memory: Size = 2 * 2**30
    """Memory that decoding one image may take."""
    formats: _Formats = tuple(FORMATS)
    """Others are not opened."""
    decode: Literal["exact", "fast"] | None = None
    """Decode JPEGs at a smaller scale; unset = exact with a face finder, fast without.

    The scale is at least twice what the networks need.
    """
    providers: Annotated[Items[_Provider], Field(min_length=1), AfterValidator(_distinct)] = ("cpu",)
    """Execution providers of onnxruntime, best first: cuda, openvino, ….

    What one cannot run falls to the next, then to cpu.
    """


class ApiConfig(Section):
    """The ML API."""

    listen: ListenAddress = Listen("127.0.0.1", 8000)
    """Where the API listens."""
    instance: Annotated[Name, AfterValidator(parse_instance)] | None = None
    """Its name among APIs that share the store; unset = host name and address."""
    cache_size: Annotated[int, Field(ge=0, le=2**31 - 1)] = 1024
    """Predictions in the cache, by the image's bytes; 0 = no cache."""
    max_body: Size = 16 * 2**20
    """A larger request is refused."""
    max_pixels: _PositiveInt = 50_000_000
    """An image with more pixels is refused."""
    max_decode_seconds: _Seconds | None = None
    """As in predict; at most timeout, and unset = 5, or timeout where that is shorter."""
    max_decode_memory: Size = 2**30
    """As in predict."""
    formats: _Formats = ("jpeg", "png", "webp")
    """Images in other formats get 422."""
    max_in_flight: _PositiveInt = 256
    """Images that have arrived and are predicted at once; more are refused with 503."""
    max_in_flight_bytes: Size = 256 * 2**20
    """Memory for them.

    One body of `max_body` has room in any case.
    """
    max_arriving: _PositiveInt = 512
    """Bodies that arrive at once, a quarter of them from one client.

    A client may have a quarter of their bytes, too.
    """
    max_arriving_bytes: Size = 256 * 2**20
    """Memory for them.

    One body of `max_body` has room in any case.
    """
    sources: Annotated[Items[Name], AfterValidator(_distinct)] = ()
    """Names that ?source= may always bring, e.g. [gate, door]."""
    max_sources: Annotated[int, Field(ge=0)] = 64
    """Further names; images of others are logged as source "other"."""
    max_connections: _PositiveInt = 4096
    """Connections at once; one more takes the place of the one that has waited longest, or gets 503."""
    trusted_proxies: Items[_NetworkText] = ()
    """Proxies whose X-Forwarded-For names the client, e.g. [10.0.0.7, "fd00::/8"]."""
    allowed_hosts: Items[_HostName] = ()
    """Names of this API besides addresses and private names, e.g. [faces.example.org].

    A host, `.DOMAIN` for all below it, or `*` for all.
    """
    workers: Workers | None = None
    """Processes that predict; unset = one for each core, within the CPU quota."""
    access_log: bool = True
    """A line of JSON for each request, on stderr.

    Requests of health, ready and metrics leave one only if they fail.
    """
    pages: bool = True
    """Pages for browsers, at / and /docs; false: /docs without a script, and nothing at /."""
    timeout: Timeout = timedelta(seconds=30)
    """For a body to arrive, for a worker to answer, and for the server to stop."""
    tokens_file: SecretFile | None = None
    """Who may ask for predictions: one token a line; unset = no authentication."""

    @property
    def in_flight_bytes(self) -> int:
        """`max_in_flight_bytes`, or `max_body` if that is more."""
        return max(self.max_in_flight_bytes, self.max_body)

    @property
    def decode_seconds(self) -> float:
        """`max_decode_seconds`, or its default."""
        return self.max_decode_seconds or min(_DECODE_SECONDS, self.timeout.total_seconds())

    @model_validator(mode="after")
    def _decodes_in_time(self) -> Self:
        if self.max_decode_seconds is not None and self.max_decode_seconds > self.timeout.total_seconds():
            timeout = format_duration(self.timeout)
            raise MisfitError((("max_decode_seconds",), f"must be at most timeout, {timeout}"))
        return self


def _askable(url: str) -> str:
    if not url.isascii():
        raise ValueError("may hold ASCII only: write other characters of a path as %xx, of a host as xn--…")
    return url


class ProbeConfig(Section):
    """An external service that the exporter probes."""

    name: Name
    """The service's name, a label of its metrics."""
    url: Annotated[HttpUrl, AfterValidator(_askable)]
    """The address that is asked, such as http://labels:8080/health."""


class ExporterConfig(Section):
    """The metrics exporter."""

    listen: ListenAddress = Listen("127.0.0.1", 8001)
    """Where the exporter listens."""
    pages: bool = True
    """A page for browsers at /."""
    probes: Items[ProbeConfig] = ()
    """Services to probe, e.g. [{name: labels, url: "http://labels:8080/health"}]."""
    probe_interval: Timeout = timedelta(seconds=15)
    """Each is asked so often, in the background."""
    probe_timeout: Timeout = timedelta(seconds=5)
    """Up is a 2xx within this time."""
    collectors: Items[Annotated[str, Field(pattern=r"^[\w.]+:\w+$")]] = ()
    """Metrics of your own, e.g. ["mypackage.metrics:Queue"]: anything with collect();
    modules beside this file are found too.

    They are import paths of objects: `MODULE:NAME`.
    """
    collector_timeout: Timeout = timedelta(seconds=2)
    """What a scrape waits for one of them at most."""

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
