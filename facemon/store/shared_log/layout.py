"""Where things lie below the address of a shared log, and which names they may have."""

import re
from datetime import datetime
from typing import NamedTuple

from facemon.domain.shard import Shard

JOBS = "jobs/"
SEGMENTS = "segments/"
DELIVERIES = "deliveries/"
NODE_SEGMENTS = "node-segments/"
NODE_DELIVERIES = "node-deliveries/"
"""Beside those of shards: a node may have the name of a job."""
CLEANING = "locks/clean.json"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_DELIVERY = re.compile(rf"{DELIVERIES}({_NAME.pattern})/([1-9][0-9]{{0,8}})\.json")
_JOB = re.compile(rf"{JOBS}({_NAME.pattern})\.json")
_ATTEMPT = re.compile(rf"{SEGMENTS}({_NAME.pattern})/([1-9][0-9]{{0,8}})-([0-9A-Za-z-]+)/.+")
_NODE = rf"({_NAME.pattern})/([0-9a-f]{{16}})/([1-9][0-9]{{0,8}})"
_NODE_DELIVERY = re.compile(rf"{NODE_DELIVERIES}{_NODE}\.json")
_NODE_ATTEMPT = re.compile(rf"{NODE_SEGMENTS}{_NODE}-([0-9a-f]+)/.+")


class Attempt(NamedTuple):
    """One attempt on a delivery; it counts once the commit names it."""

    commit: str
    """The key of the commit."""
    name: str
    """Of a shard the run."""


class NodePlace(NamedTuple):
    """Which delivery of a node an object is the commit of."""

    node: str
    epoch: str
    number: int


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
    if match := _ATTEMPT.fullmatch(key):
        return Attempt(delivery_key(match[1], int(match[2])), match[3])
    if match := _NODE_ATTEMPT.fullmatch(key):
        return Attempt(node_delivery_key(NodePlace(match[1], match[2], int(match[3]))), match[4])
    return None


def node_delivery_key(place: NodePlace) -> str:
    """Return where the commit of a node's delivery lies: one place for each number."""
    return f"{NODE_DELIVERIES}{place.node}/{place.epoch}/{place.number}.json"


def node_place_of(key: str) -> NodePlace | None:
    """Return which delivery of a node an object is the commit of; None for others."""
    return NodePlace(match[1], match[2], int(match[3])) if (match := _NODE_DELIVERY.fullmatch(key)) else None


def node_attempt_prefix(place: NodePlace, attempt: str) -> str:
    """Return the prefix of the segments of one attempt, which no other attempt writes below."""
    return f"{NODE_SEGMENTS}{place.node}/{place.epoch}/{place.number}-{attempt}/"


def node_segment_key(place: NodePlace, attempt: str, observed: datetime, segment: str) -> str:
    """Return where a segment of a node lies, by the date of its rows."""
    return f"{node_attempt_prefix(place, attempt)}date={observed:%Y-%m-%d}/{segment}.parquet"
