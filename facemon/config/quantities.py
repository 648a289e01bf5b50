"""How durations, sizes, addresses, proportions and names are written in the configuration."""

import re
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, get_args

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, Strict, WithJsonSchema

from facemon.config.durations import format_duration, parse_duration, shown
from facemon.config.web_address import without_secrets
from facemon.local_path import home_fault, url_fault

_SIZE = re.compile(r"(\d{1,40})\s*(|B|KiB|MiB|GiB|TiB)")
_SIZE_UNITS = {"": 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_LARGEST = 2**60
"""Bytes; more than any file has."""
_LONGEST_TIMEOUT = timedelta(days=1)
"""The system's calls that wait count milliseconds in 31 bits, which is 24 days."""
MOST_DAYS = 36_500
"""Days that rows may be kept: a century, which no arithmetic of dates leaves."""
_LONGEST = timedelta(microseconds=2**63 // 1000)
"""Prometheus counts nanoseconds in 63 bits."""
_LISTEN = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\s\[\]]+):(\d{1,5})")
_HIGHEST_PORT = 65535
_NUL = "holds the character NUL, which no path and no command line can carry"


def parse_size(text: str) -> int:
    """Read a number of bytes such as `16MiB`; ValueError for anything else."""
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{shown(text)} is not a size: write bytes as a number with KiB, MiB or GiB")
    size = int(match[1]) * _SIZE_UNITS[match[2]]
    if size > _LARGEST:
        raise ValueError(f"{shown(text)} is more than any file holds; at most {_LARGEST // 2**40} TiB")
    return size


class Listen(NamedTuple):
    """An address to listen on; port 0 lets the system choose one."""

    host: str
    port: int

    def __str__(self) -> str:
        """The address as it is written: `HOST:PORT`."""
        return f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        try:
            return ip_address(self.host.strip("[]")).is_loopback
        except ValueError:  # a name; one such as 127.example.com may be anywhere
            return self.host == "localhost"


def parse_listen(text: str) -> Listen:
    """Read `HOST:PORT`; ValueError for anything else."""
    match = _LISTEN.fullmatch(text.strip())
    if not match or int(match[2]) > _HIGHEST_PORT:
        raise ValueError(f"{shown(text)} is not an address: write HOST:PORT, like 127.0.0.1:8001")
    return Listen(match[1], int(match[2]))


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        duration = parse_duration(value)
        if duration > _LONGEST:
            raise ValueError(f"{value!r} is too long: Prometheus accepts at most 292 years")
        return duration
    raise ValueError("must be a duration: write a number and a unit, like 30s, 10m, 24h, 7d")


def _size(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST:
        return value
    if isinstance(value, str):
        return parse_size(value)
    raise ValueError("must be a size: write bytes as a number with KiB, MiB or GiB, like 16MiB")


def _listen(value: Any) -> Listen:
    if isinstance(value, Listen):
        return value
    if isinstance(value, str):
        return parse_listen(value)
    raise ValueError('must be an address: write HOST:PORT in quotes, like "127.0.0.1:8001"')


def _positive(duration: timedelta) -> timedelta:
    if duration <= timedelta(0):
        raise ValueError("must be longer than nothing")
    return duration


def _timeout(value: Any) -> timedelta:
    duration = _positive(_duration(value))
    if duration > _LONGEST_TIMEOUT:
        raise ValueError(f"must be at most {format_duration(_LONGEST_TIMEOUT)}")
    return duration


def _secret_file(value: Any) -> Any:
    if isinstance(value, str) and ("\n" in value or "://" in value):
        raise ValueError("must name the file that holds the secret, not the secret itself")
    if isinstance(value, str) and (fault := home_fault(value)):
        raise ValueError(str(fault))
    return value


def _local(value: Any) -> Any:
    if isinstance(value, str | Path) and (fault := url_fault(value) or home_fault(value)):
        raise ValueError(str(fault))
    return value


def _no_nul_in(path: Path) -> Path:
    if "\0" in str(path):
        raise ValueError(_NUL)
    return path


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError(_NUL)
    return text


# What an editor is told of values that only our functions judge: never less than these take.
_DURATION_TEXT = WithJsonSchema(
    {
        "type": "string",
        "pattern": r"^(?=\s*\d)\s*(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?\s*$",
    }
)
_SIZE_TEXT = WithJsonSchema(
    {
        "anyOf": [
            {"type": "string", "pattern": r"^\s*\d+\s*(|B|KiB|MiB|GiB|TiB)\s*$"},
            {"type": "integer", "minimum": 0, "maximum": _LARGEST},
        ]
    }
)
_LISTEN_TEXT = WithJsonSchema(
    {
        "type": "string",
        "pattern": r"^\s*(\[[0-9A-Fa-f:.]+\]|[^:\s\[\]]+):\d{1,5}\s*$",
    }
)

Duration = Annotated[timedelta, PlainValidator(_duration), _DURATION_TEXT]
PositiveDuration = Annotated[timedelta, PlainValidator(lambda v: _positive(_duration(v))), _DURATION_TEXT]
Timeout = Annotated[timedelta, PlainValidator(_timeout), _DURATION_TEXT]
FilePath = Annotated[Path, Field(strict=False), BeforeValidator(_local), AfterValidator(_no_nul_in)]
RetentionDays = Annotated[int, Field(ge=1, le=MOST_DAYS)]
Workers = Annotated[int, Field(ge=1, le=1024)]
Size = Annotated[int, PlainValidator(_size), _SIZE_TEXT]
ListenAddress = Annotated[Listen, PlainValidator(_listen), _LISTEN_TEXT]
SecretFile = Annotated[str, BeforeValidator(_secret_file), Field(min_length=1), AfterValidator(_no_nul)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Proportion = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_no_nul)]
LabelName = Annotated[str, Field(pattern=r"^([a-zA-Z]|_[a-zA-Z0-9])[a-zA-Z0-9_]*$", max_length=200)]
"""Names that begin with two underscores are Prometheus' own."""
LabelValue = Annotated[str, AfterValidator(_no_nul)]
HttpUrl = Annotated[str, Field(pattern=r"^https?://[^\s/@]+(/\S*)?$"), AfterValidator(without_secrets)]
"""A user and password before the host would be a secret in the open, as a token in the query is."""
Replicas = Annotated[int, Field(ge=1, le=9)]
Severity = Literal["critical", "warning", "info", "none"]
"""From the worst to the least."""

_Item = TypeVar("_Item")
Items = Annotated[tuple[_Item, ...], Strict(False)]
"""A YAML list, kept as a tuple; its items stay strict."""


def at_most(severity: Severity) -> tuple[Severity, ...]:
    """This severity and those that are less."""
    every: tuple[Severity, ...] = get_args(Severity)
    return every[every.index(severity) :]
