"""Labels that match nothing: names of both sides to look at, and the mapping that would bring them together."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from facemon.evaluation.name_forms import normal_name, shared_beginning, without_folder, without_suffix
from facemon.evaluation.true_labels import HASH, IMAGE, IMAGE_ID, KeyColumn

_SHOWN = 3
_SAMPLE = 20_000
"""Rows of the log, and labels, that are looked at: a hint need not have seen all."""


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Some names of labels that match nothing, some of the log that have no label, and what may be behind it."""

    labels: tuple[str, ...]
    logged: tuple[str, ...]
    hints: tuple[str, ...]


class LoggedNames:
    """What the first rows of the log call their images."""

    def __init__(self) -> None:
        self.of: Mapping[str, dict[str, None]] = {IMAGE: {}, IMAGE_ID: {}, HASH: {}}
        self._rows = 0

    def watch(self, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The tables themselves; their first rows are remembered."""
        for table in tables:
            if self._rows < _SAMPLE:
                head = table.slice(0, _SAMPLE - self._rows)
                self._rows += head.num_rows
                for column, seen in self.of.items():
                    if column in head.column_names:
                        seen.update(dict.fromkeys(name for name in head.column(column).to_pylist() if name))
            yield table


def explain_unmatched(
    names: Sequence[str],
    column: KeyColumn,
    others: Mapping[str, tuple[str, ...]],
    logged: LoggedNames,
    labelled: Collection[str],
) -> Unmatched:
    """What to show of labels without an image; `labelled` are names of the log that have a label."""
    sample = [normal_name(name) if column.logged == IMAGE else name for name in names[:_SAMPLE]]
    there = logged.of[column.logged]
    free = [name for name in there if name not in labelled]
    found = [*_other_columns(sample, column, others, logged.of), *_other_spelling(sample, column, list(there))]
    # The first of equals: a column that holds the very names is surer than names that must be changed.
    best = max(found, key=lambda each: each[0], default=(0, ""))
    hints = (best[1],) if best[0] else tuple(_shapes(sample, list(there))) if column.logged == IMAGE else ()
    return Unmatched(tuple(sample[:_SHOWN]), tuple((free or list(there))[:_SHOWN]), hints)


def _other_columns(
    names: Sequence[str],
    column: KeyColumn,
    others: Mapping[str, tuple[str, ...]],
    logged: Mapping[str, Collection[str]],
) -> Iterator[tuple[int, str]]:
    """How many labels another mapping of columns would match, and how to say so."""
    keys = {IMAGE: "tables.image", IMAGE_ID: "tables.id"}
    for place, texts in {column.name: tuple(names), **others}.items():
        if 2 * len(set(texts)) < min(len(names), len(texts)):
            continue  # few distinct cells are no names, though an age may be called as an image is
        for name in logged:
            if (place, name) == (column.name, column.logged):
                continue
            count = len(_keys(texts, name) & _keys(logged[name], name))
            if name in keys:
                yield count, f"the column {place} holds what the log calls {name}: did you mean {keys[name]}: {place}?"
            elif place != HASH:
                yield count, f"the column {place} holds the images' sha256: rename it to {HASH}"


def _keys(texts: Iterable[str], logged: str) -> set[str]:
    if logged != IMAGE:
        return set(texts) - {""}
    return {without_suffix(without_folder(normal_name(text))) for text in texts} - {""}


def _other_spelling(names: Sequence[str], column: KeyColumn, logged: Sequence[str]) -> Iterator[tuple[int, str]]:
    """How many labels would match if names were written otherwise, and how to say so; the smallest change first."""
    if not names or not logged:
        return
    yield _shared("the names differ in letter case", names, logged, str.casefold)
    if column.logged == IMAGE:
        folders = f"the log's names {_beginning(logged)}, those of the labels {_beginning(names)}"
        suffixes = f"the log's names {_ending(logged)}, those of the labels {_ending(names)}"
        yield _shared(folders, names, logged, without_folder)
        yield _shared(suffixes, names, logged, without_suffix)
        yield _shared(f"{folders}; {suffixes}", names, logged, _stem)
    zeros = "the log's names begin with zeros that the labels lack, as when a spreadsheet takes them for numbers"
    with_zeros = [name for name in logged if _stem(name).startswith("0")]
    without = [name for name in names if not _stem(name).startswith("0")]
    yield _shared(zeros, without, with_zeros, _without_zeros)


def _shared(message: str, names: Sequence[str], logged: Sequence[str], change: Callable[[str], str]) -> tuple[int, str]:
    """How many names are equal once they are changed, and what to say of it, with an example."""
    there = {change(name): name for name in reversed(logged)}
    shared = {change(name): name for name in reversed(names) if change(name) in there}
    if not shared:
        return 0, ""
    changed, name = next(reversed(shared.items()))
    return len(shared), f"{message}: {there[changed]} and {name}"


def _shapes(names: Sequence[str], logged: Sequence[str]) -> Iterator[str]:
    """In what the names of both sides differ to look at, where nothing brings them together."""
    if names and logged:
        if _beginning(names) != _beginning(logged):
            yield f"the log's names {_beginning(logged)}, those of the labels {_beginning(names)}"
        if _ending(names) != _ending(logged):
            yield f"the log's names {_ending(logged)}, those of the labels {_ending(names)}"


def _stem(name: str) -> str:
    return without_suffix(without_folder(name))


def _without_zeros(name: str) -> str:
    return _stem(name).lstrip("0")


def _beginning(names: Sequence[str]) -> str:
    if beginning := shared_beginning(names):
        return f"begin with {beginning}"
    return "have folders" if any("/" in name for name in names) else "have no folder"


def _ending(names: Sequence[str]) -> str:
    suffixes = sorted({name[len(without_suffix(name)) :] for name in names})
    if suffixes == [""]:
        return "have no suffix"
    return f"end in {suffixes[0]}" if len(suffixes) == 1 else "have several suffixes"
