"""Where things lie below the address of a shared log, and which names they may have."""

import re
from datetime import datetime
from typing import NamedTuple

from facemon.domain.shard import Shard

JOBS = "jobs/"
SEGMENTS = "segments/"
DELIVERIES = "deliveries/"
CLEANING = "locks/clean.json"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_DELIVERY = re.compile(rf"{DELIVERIES}({_NAME.pattern})/([1-9][0-9]{{0,8}})\.json")
_JOB = re.compile(rf"{JOBS}({_NAME.pattern})\.json")
_ATTEMPT = re.compile(rf"{SEGMENTS}({_NAME.pattern})/([1-9][0-9]{{0,8}})-([0-9A-Za-z-]+)/.+")


class Attempt(NamedTuple):
    """One run on a shard of a job; it counts once its commit names it."""

    name: str
    shard: int
    run: str


def is_fit_name(name: str) -> bool:
    """Whether a job may have this name, which becomes a part of keys and of paths."""
    return _NAME.fullmatch(name) is not None


def job_key(name: str) -> str:
    """Return where a job's description lies."""
    return f"{JOBS}{name}.json"


def delivery_key(name: str, shard: int) -> str:
    """Return where the commit of a shard lies: one place, so that a shard has one at most."""
    return f"{DELIVERIES}{name}/{shard}.json"


def attempt_prefix(name: str, shard: int, run: str) -> str:
    """Return the prefix of the segments of one attempt, which no other attempt writes below."""
    return f"{SEGMENTS}{name}/{shard}-{run}/"


def segment_key(name: str, shard: Shard, run: str, observed: datetime, segment: str) -> str:
    """Return where a segment lies, by the date of its rows, as in a local store."""
    return f"{attempt_prefix(name, shard.number, run)}date={observed:%Y-%m-%d}/{segment}.parquet"


def job_of(key: str) -> str | None:
    """Return the name of the job that an object describes; None for others."""
    return match[1] if (match := _JOB.fullmatch(key)) else None


def shard_of(key: str) -> tuple[str, int] | None:
    """Return the job and the shard whose commit an object is; None for others."""
    return (match[1], int(match[2])) if (match := _DELIVERY.fullmatch(key)) else None


def attempt_of(key: str) -> Attempt | None:
    """Return the attempt that an object below the segments belongs to; None for what is not of facemon."""
    return Attempt(match[1], int(match[2]), match[3]) if (match := _ATTEMPT.fullmatch(key)) else None
