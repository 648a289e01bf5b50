"""Which row of the log each label is about, and why others are about none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from facemon.domain.array_types import Indices
from facemon.evaluation.found_images import BOX, NO_FACE, FoundImages
from facemon.evaluation.name_forms import how_they_differ
from facemon.evaluation.true_labels import ANY_FACE, FACE, IMAGE, KeyColumn, TrueLabels
from facemon.evaluation.truth import Truth


@dataclass(frozen=True, slots=True)
class KeyedLabels:
    """The labels of a table by one of its key columns: one for each image, or face of one, that rows agree about."""

    column: KeyColumn
    images: tuple[str, ...]
    image_of: Indices
    """For each label its place in `images`; labels are in the order of images and faces."""
    faces: Indices
    rows: Indices
    """A row of the table that says it."""
    sayings: Indices
    """Equal numbers where labels say the same of every attribute."""
    contradicted: tuple[str, ...]
    """Images that have several rows which differ."""
    nameless: int
    """Rows that name no image."""

    def name(self, label: int) -> str:
        """What messages call a label."""
        return _name(self.images[self.image_of[label]], self.faces[label])

    def names(self, labels: Sequence[int]) -> tuple[str, ...]:
        """What messages call some labels."""
        return tuple(self.name(label) for label in labels)


@dataclass(frozen=True, slots=True)
class LabelMatches:
    """Labels and their rows of the log; what is not there is in one of the lists, as places among the labels."""

    rows: pa.Table
    labels: Indices
    """For each of `rows` its label; each row and each label once."""
    how: tuple[tuple[str, int], ...]
    """By what labels met an image that was found, and how many did."""
    unmatched: tuple[int, ...]
    several_images: tuple[int, ...]
    shared: tuple[int, ...]
    """Labels that cannot be told from others: the log has the name that is left of each, once."""
    several_faces: tuple[int, ...]
    without_face: tuple[int, ...]
    face_not_found: tuple[int, ...]
    failed: tuple[int, ...]
    repeated: tuple[int, ...]
    """Labels that say of a row what another label says too."""
    contradicting: tuple[int, ...]
    """Labels that do not say of a row what another label says."""


def keyed_labels(labels: TrueLabels, column: KeyColumn) -> KeyedLabels:
    """The labels by this column; rows that are equal are one label, rows that differ are none."""
    sayings = _sayings(labels.truths, len(column.texts))
    images = sorted(set(column.texts) - {""})
    places = {text: place for place, text in enumerate(images)}
    image_of = np.array([places.get(text, -1) for text in column.texts], np.intp)
    named = np.flatnonzero(image_of >= 0)
    order = named[np.lexsort((named, labels.faces[named], image_of[named]))]
    keys = np.stack([image_of[order], labels.faces[order]])
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
    firsts = order[begins]
    groups = np.cumsum(begins) - 1
    differs = np.zeros(len(firsts), np.bool_)
    differs[groups[sayings[order] != sayings[firsts[groups]]]] = True
    kept = firsts[~differs]
    return KeyedLabels(
        column,
        tuple(images),
        image_of[kept],
        labels.faces[kept],
        kept,
        sayings[kept],
        tuple(_name(column.texts[row], labels.faces[row]) for row in firsts[differs].tolist()),
        len(column.texts) - len(named),
    )


def match_labels(labels: KeyedLabels, found: FoundImages) -> LabelMatches:
    """Give each label its row: that of the face it names, or of the only face of its image."""
    images, rows = labels.image_of, _faces_apart(found)
    errors = pc.fill_null(rows.rows.column("error"), "") if rows.rows.num_rows else pa.array([], pa.string())
    is_face = pc.equal(errors, "").to_numpy(zero_copy_only=False)
    no_face = _has(rows.owners, pc.equal(errors, NO_FACE).to_numpy(zero_copy_only=False), len(labels.images))[images]
    is_met = _has(rows.owners, np.ones(len(rows.owners), np.bool_), len(labels.images))[images]
    several, shared = found.means_several[images], found.is_shared[images]
    faces = np.flatnonzero(is_face)
    first, count = _rows_of_faces(labels, rows, faces)
    has_faces = _has(rows.owners, is_face, len(labels.images))[images]
    chosen = np.flatnonzero(count == 1)
    places = faces[first[chosen]]
    kept, repeated, contradicting = _one_label_a_row(labels, found, chosen, rows.rows.take(pa.array(places)))
    return LabelMatches(
        rows.rows.take(pa.array(places[kept])),
        chosen[kept],
        _how(labels, found, rows, images[is_met]),
        _those(~is_met & ~several & ~shared),
        _those(several),
        _those(shared),
        _those(count > 1),
        _those(is_met & ~has_faces & no_face),
        _those(has_faces & (count == 0)),
        _those(is_met & ~has_faces & ~no_face),
        tuple(chosen[repeated].tolist()),
        tuple(chosen[contradicting].tolist()),
    )


def _rows_of_faces(labels: KeyedLabels, found: FoundImages, faces: Indices) -> tuple[Indices, Indices]:
    """For each label the first of the rows that it may be about, a place in `faces`, and how many there are."""
    if not len(faces):
        return np.zeros(len(labels.faces), np.intp), np.zeros(len(labels.faces), np.intp)
    owners = found.owners[faces]
    numbers = pc.fill_null(found.rows.column(FACE), 0).to_numpy().astype(np.intp)[faces]
    most = max(int(numbers.max()), int(labels.faces.max(initial=0))) + 1
    order = np.lexsort((numbers, owners))
    keys = (owners * most + numbers)[order]
    is_any = labels.faces == ANY_FACE
    low = labels.image_of * most + np.where(is_any, 0, labels.faces)
    begins = np.searchsorted(keys, low, "left")
    ends = np.searchsorted(keys, np.where(is_any, low + most - 1, low), "right")
    return order[np.minimum(begins, len(order) - 1)], ends - begins


def _faces_apart(found: FoundImages) -> FoundImages:
    """Without the rows that tell of the same face again: inputs of one run that show one image, with the same box."""
    if BOX not in found.rows.column_names or not found.rows.num_rows:
        return found
    boxes = found.rows.column(BOX).combine_chunks()
    corners = np.full((len(boxes), 4), -1, np.int64)
    given = pc.is_valid(boxes).to_numpy(zero_copy_only=False)
    corners[given] = pc.list_flatten(boxes).to_numpy(zero_copy_only=False).reshape(-1, 4)
    numbers = pc.fill_null(found.rows.column(FACE), -1).to_numpy()
    newest = np.argsort(-found.rows.column("ordinal").to_numpy(), kind="stable")
    seen = np.column_stack([found.owners, numbers, corners])[newest]
    _, places = np.unique(seen, axis=0, return_index=True)
    kept = np.sort(newest[places])
    return FoundImages(
        found.rows.take(pa.array(kept)), found.owners[kept], found.is_exact, found.means_several, found.is_shared
    )


def _one_label_a_row(
    labels: KeyedLabels, found: FoundImages, chosen: Indices, rows: pa.Table
) -> tuple[Indices, Indices, Indices]:
    """Places in `chosen` of the labels that count, that repeat another one, and that contradict another one.

    Of labels that mean the same row, one that names its image exactly goes before those that only may mean it.
    """
    nothing = np.empty(0, np.intp)
    if not len(chosen):
        return nothing, nothing, nothing
    identity = _row_identity(rows)
    is_exact = found.is_exact[labels.image_of[chosen]]
    order = np.lexsort((chosen, ~is_exact, identity))
    begins = np.ones(len(order), np.bool_)
    begins[1:] = identity[order][1:] != identity[order][:-1]
    groups = np.cumsum(begins) - 1
    leaders = order[begins]
    agrees = labels.sayings[chosen][order] == labels.sayings[chosen][leaders[groups]]
    # A leader is surer than those who disagree if it alone is exact.
    is_rival = ~agrees & (is_exact[order] | ~is_exact[leaders[groups]])
    is_disputed = np.bincount(groups[is_rival], minlength=len(leaders)) > 0
    counts = begins & ~is_disputed[groups]
    contradicts = ~agrees | is_disputed[groups]
    return np.sort(order[counts]), np.sort(order[~counts & ~contradicts]), np.sort(order[contradicts])


def _row_identity(rows: pa.Table) -> Indices:
    run = pc.dictionary_encode(rows.column("run").combine_chunks()).indices.to_numpy(zero_copy_only=False)
    face = pc.fill_null(rows.column(FACE), -1).to_numpy()
    return _numbered(_numbered(run.astype(np.int64), rows.column("ordinal").to_numpy()), face)


def _sayings(truths: Mapping[str, Truth], rows: int) -> Indices:
    said = np.zeros(rows, np.intp)
    for truth in truths.values():
        said = _numbered(_numbered(said, truth.codes), np.where(np.isnan(truth.numbers), np.inf, truth.numbers))
    return said


def _numbered(one: NDArray[np.int64], other: NDArray[np.int64] | NDArray[np.float64]) -> Indices:
    """Equal numbers where both are equal."""
    codes = np.unique(other, return_inverse=True)[1]
    return np.unique(one * (codes.max(initial=0) + 1) + codes, return_inverse=True)[1]


def _how(labels: KeyedLabels, found: FoundImages, rows: FoundImages, met: Indices) -> tuple[tuple[str, int], ...]:
    """By what the images were met that labels (one for each of `met`) name, most frequent first."""
    if labels.column.logged != IMAGE:
        return ((labels.column.logged, len(met)),) if len(met) else ()
    counted: dict[str, int] = {}
    exact = int(found.is_exact[met].sum())
    if exact:
        counted["name"] = exact
    owners, first = np.unique(rows.owners, return_index=True)
    near = met[~found.is_exact[met]]
    logged = (
        rows.rows.column(IMAGE).take(pa.array(first[np.searchsorted(owners, near)])).to_pylist() if len(near) else []
    )
    for image, name in zip(near.tolist(), logged, strict=True):
        how = how_they_differ(labels.images[image], name)
        counted[how] = counted.get(how, 0) + 1
    return tuple(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))


def _has(owners: Indices, which: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    return np.bincount(owners[which], minlength=count) > 0


def _those(which: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(np.flatnonzero(which).tolist())


def _name(image: str, face: int) -> str:
    return image if face == ANY_FACE else f"{image}, face {face}"
