"""The columns of a manifest: which ones mean a known one, and what to tell of those that nothing uses."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice

from facemon.near_names import nearest_names

_MOST_SHOWN = 8
_LIKENESS = 0.8
"""Of a name that may be a misspelt one: `side` is not `size`, and `name` is not `image`."""


def meant_columns(columns: Sequence[str], known: Collection[str]) -> dict[str, str]:
    """The columns that have a known name but for spaces around it, as `image, source` gives them, with that name.

    Letter case is not looked past: a column `Size` of another program need not hold a number of bytes.
    """
    plain = {name: name.strip() for name in columns}
    count = Counter(plain.values())
    return {name: meant for name, meant in plain.items() if name != meant and meant in known and count[meant] == 1}


def meant_cells(cells: Mapping[str, object], meant: Mapping[str, str]) -> dict[str, object]:
    """A row under the names that its columns mean; the spaces around a header are around its cells too."""
    return {
        meant.get(name, name): cell.strip() if name in meant and isinstance(cell, str) else cell
        for name, cell in cells.items()
    }


def unused_note(columns: Sequence[str], used: Collection[str]) -> str | None:
    """Tell of the columns that are not `used`, each with the missing one that it may mean; None where all are."""
    unused = [name for name in columns if name.strip() and name not in used]
    if not unused:
        return None
    missing = [name for name in used if name not in columns]
    shown = ", ".join(islice(_with_near(unused, missing), _MOST_SHOWN))
    more = f", and {len(unused) - _MOST_SHOWN} more" if len(unused) > _MOST_SHOWN else ""
    return f"columns that are not used: {shown}{more}"


def _with_near(unused: Sequence[str], missing: Sequence[str]) -> Iterator[str]:
    """Those with a near name come first, because they are the ones to correct."""
    near = {name: nearest_names(name.strip(), missing, cutoff=_LIKENESS) for name in unused}
    for name in sorted(unused, key=lambda each: not near[each]):
        yield f"{name} (did you mean {near[name][0]}?)" if near[name] else name
