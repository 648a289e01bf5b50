"""Which names may mean the same image: one may lack folders that the other begins with, or the other's suffix."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_SUFFIX = r"\.[A-Za-z][A-Za-z0-9]{1,4}$"
_SUFFIX_OF = re.compile(_SUFFIX)
_SHARED = -1


def normal_name(name: str) -> str:
    """A name as folders and a file, without what says nothing: `./`, backslashes, repeated slashes.

    An accent may be a character of its own, as in names of files that macOS wrote (Unicode's NFD), or none (NFC).
    """
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    return unicodedata.normalize("NFC", "/".join(parts))


def without_folder(name: str) -> str:
    """The last part of a name."""
    return name.rpartition("/")[2]


def without_suffix(name: str) -> str:
    """A name without what tells the format of its file: a letter and one to four more letters or digits."""
    return _SUFFIX_OF.sub("", name)


class NameForms:
    """The names of labels, ready to be compared with many names of the log at once.

    Two names are compatible if they are equal once one of them is relieved of its first folders, and one of its
    suffix. Folders or suffixes that both have must be equal: train/1.jpg is another image than test/1.jpg.
    """

    def __init__(self, names: Sequence[str]) -> None:
        plain = [normal_name(name) for name in names]
        self._depths = sorted({name.count("/") for name in plain if name})
        self._whole, self._whole_stems = _Forms(), _Forms()
        self._tails, self._tail_stems = _Forms(), _Forms()
        for label, name in enumerate(plain):
            self._whole.add(name, label)
            if (stem := without_suffix(name)) != name:
                self._whole_stems.add(stem, label)
            parts = name.split("/")
            for first in range(1, len(parts)):
                tail = "/".join(parts[first:])
                self._tails.add(tail, label)
                if (stem := without_suffix(tail)) != tail:
                    self._tail_stems.add(stem, label)
        ends = {without_folder(name) for name in plain} - {""}
        self._ends = pa.array(sorted(ends | {without_suffix(end) for end in ends} - {""}), pa.string())

    def may_match(self, names: pa.ChunkedArray) -> pa.ChunkedArray:
        """Which names of the log end as a label does; a cheap look, so that the others need no closer one."""
        ends = pc.replace_substring_regex(_composed(names), r"(?s)^.*/", "")
        stems = pc.replace_substring_regex(ends, _SUFFIX, "")
        return pc.or_(pc.is_in(ends, self._ends), pc.is_in(stems, self._ends))

    def pairs(self, names: pa.Array) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Places in `names` and the labels that they are compatible with, pair by pair, each once.

        The third are labels that cannot be told from others: the name that they share with them is in the log.
        """
        names = _composed(names)
        stems = pc.replace_substring_regex(names, _SUFFIX, "")
        found = [self._tails.found(names), self._tail_stems.found(names), self._tails.found(stems)]
        for depth in self._depths:
            tails = _tails(names, depth)
            found += [self._whole.found(tails), self._whole_stems.found(tails), self._whole.found(_tails(stems, depth))]
        places = np.concatenate([places for places, _, _ in found])
        labels = np.concatenate([labels for _, labels, _ in found])
        shared = np.unique(np.concatenate([shared for _, _, shared in found]))
        each = np.unique(np.stack([places, labels]), axis=1)
        return each[0], each[1], shared


class _Forms:
    """Texts and the one label that each stands for, or the several."""

    def __init__(self) -> None:
        self._owners: dict[str, int] = {}
        self._sharers: dict[str, list[int]] = {}
        self._arrays: tuple[pa.Array, NDArray[np.intp], list[str]] | None = None

    def add(self, text: str, label: int) -> None:
        first = self._owners.setdefault(text, label)
        if first != label:
            self._sharers.setdefault(text, [first]).append(label)

    def found(self, names: pa.Array) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Places and labels of names that are one label's form; and the labels of those that are several's."""
        if self._arrays is None:
            alone = [_SHARED if text in self._sharers else label for text, label in self._owners.items()]
            self._arrays = pa.array(self._owners, pa.string()), np.array(alone, np.intp), list(self._owners)
        wanted, owners, texts = self._arrays
        forms = pc.fill_null(pc.index_in(names, wanted), -1).to_numpy(zero_copy_only=False).astype(np.intp)
        places = np.flatnonzero(forms >= 0)
        labels = owners[forms[places]]
        shared = np.unique(forms[places[labels == _SHARED]]).tolist()
        sharers = [label for form in shared for label in self._sharers[texts[form]]]
        is_owned = labels != _SHARED
        return places[is_owned], labels[is_owned], np.array(sharers, np.intp)


def _composed(names: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Names of the log with their accents as `normal_name` has them."""
    is_plain = pc.all(pc.string_is_ascii(names)).as_py()
    return pc.utf8_normalize(names, form="NFC") if is_plain is False else names


def _tails(names: pa.Array, depth: int) -> pa.Array:
    """The last `depth` folders of each name and its file; names that have no more than that stay whole."""
    return pc.replace_substring_regex(names, rf"(?s)^.*/((?:[^/]*/){{{depth}}}[^/]*)$", r"\1")


def how_they_differ(label: str, logged: str) -> str:
    """What two compatible names are equal without."""
    label, logged = normal_name(label), normal_name(logged)
    ends = without_folder(label), without_folder(logged)
    differs = []
    if len({name.count("/") for name in (label, logged)}) > 1:
        differs.append("folder")
    if ends[0] != ends[1]:
        differs.append("suffix")
    return f"file name without {' and '.join(differs)}" if differs else "name"


def shared_beginning(names: Iterable[str]) -> str:
    """The folder in which all of some names lie, with its slash; empty if there is none."""
    folders = [name.rpartition("/")[0].split("/") for name in names]
    if not folders or not all(folder[0] for folder in folders):
        return ""
    beginning: list[str] = []
    for parts in zip(*folders, strict=False):
        if len(set(parts)) > 1:
            break
        beginning.append(parts[0])
    return "".join(f"{part}/" for part in beginning)
