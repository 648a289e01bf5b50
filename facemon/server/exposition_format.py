"""In which format a request is answered: a fixed choice of formats, whatever its Accept header holds."""

import gzip
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from prometheus_client import generate_latest as prometheus_text
from prometheus_client.core import Metric as Family
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.registry import Collector

_OPENMETRICS, _TEXT = "application/openmetrics-text", "text/plain"
_ESCAPINGS = ("allow-utf-8", "underscores")
"""prometheus_client escapes a family and its samples differently in the schemes `dots` and `values`."""
_WEIGHT = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")


@dataclass(frozen=True, slots=True)
class Exposition:
    """A way to write metrics: what turns a registry into bytes, and the content type that these have."""

    encode: Callable[[Collector], bytes]
    content_type: str


_DEFAULT: Final = Exposition(prometheus_text, f"{_TEXT}; version=0.0.4; charset=utf-8")


def choose_exposition(accept: str) -> Exposition:
    """The format that an Accept header prefers, among those that exist; Prometheus' text 0.0.4 if it names none.

    prometheus_client's own choice echoes the version that was asked for, even one that does not exist, and fails on a
    version that is not made of numbers.
    """
    chosen = max(_offered(accept), key=lambda offer: offer[0], default=None)  # of equal weights the first
    return _DEFAULT if chosen is None else chosen[1]


class NamedFamilies(Collector):
    """Of what a collector yields the families and the samples that have certain names.

    prometheus_client's `restricted_registry` finds only collectors that tell their names before they collect.
    """

    def __init__(self, source: Collector, names: Collection[str]) -> None:
        self._source, self._names = source, names

    def collect(self) -> Iterator[Family]:
        """Collect all families; those without a wanted sample are left out."""
        for family in self._source.collect():
            is_whole = family.name in self._names
            samples = [each for each in family.samples if is_whole or each.name in self._names]
            if samples:
                named = Family(family.name, family.documentation, family.type, family.unit)
                named.samples = samples
                yield named


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header allows a compressed answer."""
    return any(each.name == "gzip" and each.weight > 0 for each in _ranges(accept_encoding))


def accepts_html(accept: str) -> bool:
    """Whether an Accept header names HTML, as that of a browser does; `*/*`, as programs send it, does not."""
    return any(each.name == "text/html" and each.weight > 0 for each in _ranges(accept))


def compressed(body: bytes) -> bytes:
    """The body as gzip; the same body gives the same bytes."""
    return gzip.compress(body, mtime=0)


@dataclass(frozen=True, slots=True)
class _Range:
    """One of the things that a header accepts; names in small letters."""

    name: str
    weight: float
    parameters: Mapping[str, str] = field(default_factory=dict)


def _ranges(header: str) -> Iterator[_Range]:
    """What a header lists; an item whose weight cannot be read is as good as absent."""
    for item in header.split(","):
        name, *given = (part.strip() for part in item.split(";"))
        pairs = (part.partition("=") for part in given)
        parameters = {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs}
        weight = parameters.pop("q", "1")
        if _WEIGHT.fullmatch(weight):
            yield _Range(name.lower(), float(weight), parameters)


def _offered(accept: str) -> Iterator[tuple[float, Exposition]]:
    for each in _ranges(accept):
        if each.weight > 0 and (exposition := _exposition(each)) is not None:
            yield each.weight, exposition


def _exposition(wanted: _Range) -> Exposition | None:
    asked = wanted.parameters.get("escaping", "")
    escaping = asked if asked in _ESCAPINGS else "underscores"
    match wanted.name, wanted.parameters.get("version"):
        case str(name), "1.0.0" | None if name == _OPENMETRICS:
            content_type = f"{_OPENMETRICS}; version=1.0.0; charset=utf-8; escaping={escaping}"
            return Exposition(partial(openmetrics, escaping=escaping, version="1.0.0"), content_type)
        case str(name), "1.0.0" if name == _TEXT:
            content_type = f"{_TEXT}; version=1.0.0; charset=utf-8; escaping={escaping}"
            return Exposition(partial(prometheus_text, escaping=escaping), content_type)
        case str(name), "0.0.4" | None if name in (_TEXT, "text/*", "*/*"):
            return _DEFAULT
    return None
