"""Whether a textfile says what another one in its folder says already: node-exporter then loses one of the two."""

import os
import re
from collections.abc import Iterable, Iterator
from io import TextIOWrapper
from pathlib import Path

from facemon.domain.metric_catalogue import CATALOGUE
from facemon.errors import ConfigError
from facemon.regular_file import open_regular

_Series = tuple[str, frozenset[tuple[str, str]]]
"""A name and labels, their values as they are written."""
_OWN = tuple(metric.name.removesuffix("_total") for metric in CATALOGUE.values())
_SERIES = re.compile(r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\s*\{(?P<labels>.*)\})?\s")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"')


def refuse_doubled(path: Path, text: str) -> None:
    """ConfigError when another `*.prom` file beside `path` holds a series of ours that `text` would write too."""
    folder, own = Path(os.path.realpath(path.parent)), os.path.realpath(path)
    wanted = set(_series(text.splitlines()))
    for other in sorted(folder.glob("*.prom")):
        if os.path.realpath(other) == own:
            continue
        if doubled := next((series for series in _series(_lines(other)) if series in wanted), None):
            raise ConfigError(
                f"{path} cannot be written: {other} has the series {_shown(doubled)} already, and node-exporter "
                "keeps only one of two",
                "remove that file if it is an older one of this store, or write both --export parts to one file; if it "
                "is another store's, keep them apart with metrics.labels, such as metrics: {labels: {site: north}}",
            )


def _series(lines: Iterable[str]) -> Iterator[_Series]:
    for line in lines:
        # Most lines of other people's files end here.
        if line.startswith(_OWN) and (found := _SERIES.match(line)):
            yield found["name"], frozenset(_LABEL.findall(found["labels"] or ""))


def _lines(path: Path) -> Iterator[str]:
    try:
        with TextIOWrapper(open_regular(path), encoding="utf-8", errors="replace") as file:
            yield from file
    except OSError:
        return  # gone since it was listed, or for others to read


def _shown(series: _Series) -> str:
    name, labels = series
    inside = ",".join(f'{label}="{value}"' for label, value in sorted(labels))
    return f"{name}{{{inside}}}" if inside else name
