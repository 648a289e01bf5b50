"""The newest prediction of each labelled image, found in the log in one pass."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from facemon.evaluation.true_labels import HASH

COLUMNS = ("run", "ordinal", "image", HASH, "face", "observed_at", "predicted_at", "source", "error")
_LABEL, _IS_EXACT = "_label", "_is_exact"


@dataclass(frozen=True, slots=True)
class NewestPredictions:
    """What the log says of the labelled images; each number is an index into the labels' keys."""

    rows: pa.Table
    """One row for each image of which one face was predicted, in the order of `labels`."""
    labels: np.ndarray
    unmatched: tuple[int, ...]
    """Labels whose image is not in the log."""
    several_images: tuple[int, ...]
    """Labels that name several images of the log, by the last part of their names."""
    several_faces: tuple[int, ...]
    without_face: tuple[int, ...]
    failed: tuple[int, ...]


def newest_predictions(tables: Iterable[pa.Table], keys: tuple[str, ...], *, by_hash: bool) -> NewestPredictions:
    """Find the newest prediction of each key among rows of the log, of one model.

    A key is an image's sha256, or its name as it was given to predict; where no image has that name, the last part
    of a path will do, if it is one image's alone.
    """
    matched: pa.Table | None = None
    for table in tables:
        found = _matched(table, keys, by_hash)
        if found.num_rows:
            matched = _newest(
                found if matched is None else pa.concat_tables([matched, found], promote_options="default")
            )
    if matched is None:
        return NewestPredictions(pa.table({}), np.empty(0, np.intp), tuple(range(len(keys))), (), (), (), ())
    return _sorted_out(matched, len(keys))


def _matched(table: pa.Table, keys: tuple[str, ...], by_hash: bool) -> pa.Table:
    wanted = pa.array(keys, pa.string())
    column = table.column(HASH if by_hash else "image")
    exact = pc.index_in(column, wanted)
    labels = exact
    if not by_hash:
        last_parts = pc.replace_substring_regex(column, r"^.*/", "")
        labels = pc.coalesce(exact, pc.index_in(last_parts, wanted))
    marked = table.append_column(_LABEL, labels).append_column(_IS_EXACT, pc.is_valid(exact))
    return marked.filter(pc.is_valid(labels))


def _newest(table: pa.Table) -> pa.Table:
    """The rows of the newest prediction of each image (its run and ordinal)."""
    label = table.column(_LABEL).to_numpy()
    image = pc.dictionary_encode(table.column("image").combine_chunks()).indices.to_numpy(zero_copy_only=False)
    # The same bytes under two names are one image; two names that end alike are not.
    image = np.where(table.column(_IS_EXACT).to_numpy(zero_copy_only=False), -1, image)
    run = pc.rank(table.column("run").combine_chunks(), tiebreaker="dense").to_numpy()
    ordinal = table.column("ordinal").to_numpy()
    predicted = table.column("predicted_at").cast(pa.int64()).to_numpy()
    order = np.lexsort((ordinal, run, predicted, image, label))
    group_ends = np.ones(len(order), bool)
    group_ends[:-1] = (label[order][1:] != label[order][:-1]) | (image[order][1:] != image[order][:-1])
    # For every row the last row of its group: same prediction means same run and ordinal.
    group = np.cumsum(np.concatenate([[0], group_ends[:-1]]))
    last = order[group_ends][group]
    kept = order[(run[order] == run[last]) & (ordinal[order] == ordinal[last])]
    return table.take(pa.array(np.sort(kept)))


def _sorted_out(table: pa.Table, count: int) -> NewestPredictions:
    label = table.column(_LABEL).to_numpy()
    is_exact = table.column(_IS_EXACT).to_numpy(zero_copy_only=False) if table.num_rows else np.empty(0, bool)
    has_exact = np.zeros(count, bool)
    has_exact[label[is_exact]] = True
    # Where an image has the very name, others that only end in it do not matter.
    kept = is_exact | ~has_exact[label]
    table, label = table.filter(pa.array(kept)), label[kept]
    image = pc.dictionary_encode(table.column("image").combine_chunks()).indices.to_numpy(zero_copy_only=False)
    pairs = np.unique(np.stack([label, image]), axis=1)[0]
    images = np.bincount(pairs, minlength=count)
    exact_of = np.bincount(label, table.column(_IS_EXACT).to_numpy(zero_copy_only=False), count) > 0
    several_images = (images > 1) & ~exact_of
    errors = pc.fill_null(table.column("error"), "").to_numpy(zero_copy_only=False).astype(str)
    rows = np.bincount(label, minlength=count)
    no_face = np.bincount(label[errors == "no_face"], minlength=count) > 0
    failed = np.bincount(label[(errors != "") & (errors != "no_face")], minlength=count) > 0
    several_faces = (rows > 1) & ~several_images & ~no_face & ~failed
    single = (rows == 1) & ~no_face & ~failed
    chosen = np.flatnonzero(single[label])
    return NewestPredictions(
        table.take(pa.array(chosen)).drop_columns([_LABEL, _IS_EXACT]),
        label[chosen],
        tuple(np.flatnonzero(rows == 0).tolist()),
        tuple(np.flatnonzero(several_images).tolist()),
        tuple(np.flatnonzero(several_faces).tolist()),
        tuple(np.flatnonzero(no_face & ~several_images).tolist()),
        tuple(np.flatnonzero(failed & ~several_images & ~no_face).tolist()),
    )
