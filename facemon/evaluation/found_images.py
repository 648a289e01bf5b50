"""The images of the log that names, ids or hashes mean, with their newest predictions, found in one pass."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from facemon.evaluation.name_forms import NameForms
from facemon.evaluation.true_labels import FACE, HASH, IMAGE, IMAGE_ID

COLUMNS = ("run", "ordinal", IMAGE, HASH, IMAGE_ID, FACE, "observed_at", "predicted_at", "source", "error")
"""What of the log is needed, beside the columns of the attributes."""
BOX = "box"
"""What is needed too where inputs of one run are faces of one image."""
_SLOT = "_slot"
"""A wanted text and how it was met: exactly (odd numbers), or as a compatible name."""
_AT_ONCE = 65_536
NO_FACE = "no_face"


@dataclass(frozen=True, slots=True)
class FoundImages:
    """What the log says of each wanted text; the arrays have an entry for each."""

    rows: pa.Table
    """The newest prediction of each image that a text means alone: all its faces, or its error."""
    owners: NDArray[np.intp]
    """For each row its text."""
    is_exact: NDArray[np.bool_]
    means_several: NDArray[np.bool_]
    """Where a text may mean several images."""
    is_shared: NDArray[np.bool_]
    """Where a name in the log may be meant by several texts."""


class ImageLookup:
    """Finds the images that some texts mean in tables of the log, which come one by one.

    A text means the images whose `logged` column equals it. Of names, where there is none, it means those that are
    compatible (see NameForms). The same bytes under several names are one image; other bytes under one name are
    another image. The newest prediction of an image counts, a failed attempt only where there is no other.
    """

    def __init__(self, wanted: Sequence[str], logged: str, *, one_face_an_input: bool = False) -> None:
        self._logged = logged
        self._one_face_an_input = one_face_an_input
        """Inputs of one run that show one image are then its faces, as those of a manifest with boxes."""
        self._wanted = pa.array(wanted, pa.string())
        self._forms = NameForms(wanted) if logged == IMAGE else None
        self._parts: list[pa.Table] = []
        self._settled = 0
        self._several = np.zeros(2 * len(wanted), np.bool_)
        self._shares = np.zeros(len(wanted), np.bool_)

    def add(self, table: pa.Table) -> None:
        """Take the rows that matter from a table of the log."""
        if self._logged not in table.column_names:  # the log's first version had no image_id
            return
        column = table.column(self._logged)
        exact = _places(column, self._wanted)
        rows = np.flatnonzero(exact >= 0)
        slots = 2 * exact[rows] + 1
        if self._forms is not None:
            near, labels = self._near(self._forms, column)
            is_other = exact[near] != labels
            rows = np.concatenate([rows, near[is_other]])
            slots = np.concatenate([slots, 2 * labels[is_other]])
        is_open = ~self._several[slots]
        if is_open.any():
            taken = table.take(pa.array(rows[is_open]))
            self._parts.append(taken.append_column(_SLOT, pa.array(slots[is_open])))
        if sum(part.num_rows for part in self._parts) > max(_AT_ONCE, 2 * self._settled):
            self._settle()

    def _near(self, forms: NameForms, column: pa.ChunkedArray) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows and the labels that their names are compatible with, pair by pair."""
        rows = np.flatnonzero(pc.fill_null(forms.may_match(column), False).to_numpy(zero_copy_only=False))
        encoded = pc.dictionary_encode(column.take(pa.array(rows)).combine_chunks())
        names = encoded.indices.to_numpy(zero_copy_only=False)
        places, labels, shared = forms.pairs(encoded.dictionary)
        self._shares[shared] = True
        # For each row all pairs of its name; these lie together, in order of the name's place.
        begins = np.searchsorted(places, names, "left")
        counts = np.searchsorted(places, names, "right") - begins
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.repeat(rows, counts), labels[np.repeat(begins, counts) + within]

    def _settle(self) -> None:
        """Let go of all but the newest predictions, and of texts that mean several images, whatever else comes."""
        if not self._parts:
            return
        table = pa.concat_tables(self._parts, promote_options="default")
        slots = table.column(_SLOT).to_numpy()
        failed = _failed(table)
        succeeds = np.zeros(len(self._several), np.bool_)
        succeeds[slots[~failed]] = True
        hashes = _codes(table.column(HASH))
        known = np.flatnonzero(~failed & (hashes >= 0))
        least = np.full(len(self._several), np.iinfo(np.intp).max)
        np.minimum.at(least, slots[known], hashes[known])
        self._several[slots[known[hashes[known] != least[slots[known]]]]] = True
        kept = np.flatnonzero(~self._several[slots] & ~(failed & succeeds[slots]))
        table = table.take(pa.array(kept))
        self._parts = [table.take(pa.array(_newest(table, _images(table), by_run=self._one_face_an_input)))]
        self._settled = self._parts[0].num_rows

    def found(self) -> FoundImages:
        """What was found; no more tables may come."""
        self._settle()
        count = len(self._wanted)
        if not self._parts:
            nothing = np.zeros(count, np.bool_)
            return FoundImages(pa.table({}), np.empty(0, np.intp), nothing, nothing, self._shares)
        table = self._parts[0]
        slots, images = table.column(_SLOT).to_numpy(), _images(table)
        several = self._several.copy()
        pairs = np.unique(np.stack([slots, images]), axis=1)[0]
        several |= np.bincount(pairs, minlength=2 * count) > 1
        is_met = several.copy()
        is_met[slots] = True
        is_exact = is_met[1::2]
        is_shared = ~is_exact & self._shares
        # Of rows whose name is shared nothing is known: they may be the ones that a label with failed rows means.
        means_several = np.where(is_exact, several[1::2], several[::2]) & ~is_shared
        kept = np.flatnonzero((slots % 2 == 1) == is_exact[slots // 2])
        kept = kept[~(means_several | is_shared)[slots[kept] // 2]]
        table = table.take(pa.array(kept)).drop_columns([_SLOT])
        return FoundImages(table, slots[kept] // 2, is_exact, means_several, is_shared)


def _failed(table: pa.Table) -> NDArray[np.bool_]:
    errors = table.column("error")
    is_failure = pc.and_(pc.is_valid(errors), pc.not_equal(pc.fill_null(errors, NO_FACE), NO_FACE))
    return is_failure.to_numpy(zero_copy_only=False)


def _images(table: pa.Table) -> NDArray[np.intp]:
    """Which rows show the same image: by its hash; of one whose hash is not known, by its name."""
    hashes, names = _codes(table.column(HASH)), _codes(table.column(IMAGE))
    unknown = len(hashes) + 1
    of_name = np.full(names.max(initial=-1) + 1, unknown)
    known = hashes >= 0
    np.minimum.at(of_name, names[known], hashes[known])
    inherited = np.where(of_name[names] < unknown, of_name[names], unknown + names)
    return np.where(known, hashes, inherited)


def _newest(table: pa.Table, image: NDArray[np.intp], *, by_run: bool) -> NDArray[np.intp]:
    """The rows of the newest prediction for each slot and image: of its run and ordinal, or of its run."""
    slot, ordinal = table.column(_SLOT).to_numpy(), table.column("ordinal").to_numpy()
    run = pc.rank(table.column("run").combine_chunks(), tiebreaker="dense").to_numpy()
    predicted = table.column("predicted_at").cast(pa.int64()).to_numpy()
    order = np.lexsort((ordinal, run, predicted, image, slot))
    group_ends = np.ones(len(order), bool)
    group_ends[:-1] = (slot[order][1:] != slot[order][:-1]) | (image[order][1:] != image[order][:-1])
    # For every row the last row of its group.
    group = np.cumsum(group_ends) - group_ends
    last = order[group_ends][group]
    return np.sort(order[(run[order] == run[last]) & (by_run | (ordinal[order] == ordinal[last]))])


def _places(column: pa.ChunkedArray, wanted: pa.Array) -> NDArray[np.intp]:
    places = pc.fill_null(pc.index_in(column, wanted), -1)
    return places.to_numpy().astype(np.intp)


def _codes(column: pa.ChunkedArray) -> NDArray[np.intp]:
    """Equal cells as equal numbers, a missing one as -1."""
    encoded = pc.dictionary_encode(column.combine_chunks())
    return pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.intp)
