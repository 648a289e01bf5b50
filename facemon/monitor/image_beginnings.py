"""Where the rows of one image end and those of the next begin, among rows that another program gives."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from facemon.monitor.row_faults import refuse_rows

IDENTITY = ("image", "source", "observed_at", "image_sha256", "image_id")
"""The columns that tell images apart: cameras may name their images alike, and a file may be written over."""
_FILLED_IN = frozenset(("source", "observed_at"))
"""Those of them whose empty cells the call fills in."""


def images_and_faces(columns: Mapping[str, pa.Array], errors: pa.Array) -> tuple[NDArray[np.int64], pa.Array]:
    """Each row's image, counted from 0, and its face.

    `columns` are those that the caller gave, with the cells that the call fills in. FacemonError where a column `face`
    says otherwise.
    """
    failed = pc.is_valid(errors).to_numpy(zero_copy_only=False)
    if not len(failed):
        return np.empty(0, np.int64), pa.array([], pa.int32())
    others = _others(columns)
    starts = failed | np.any(list(others.values()), axis=0)
    starts[1:] |= failed[:-1]
    if "face" in columns:
        given = pc.fill_null(columns["face"], -1).to_numpy(zero_copy_only=False)
        refuse_rows(pa.array(failed & (given >= 0)), "face", "is given in a row with an error")
        starts = failed | (given == 0)
    images = np.cumsum(starts) - 1
    refuse_rows(pa.array(images < 0), "face", "does not begin with 0")
    faces = np.arange(len(images)) - np.flatnonzero(starts)[images]
    if "face" in columns:
        refuse_rows(pa.array(~failed & (faces != given)), "face", "does not count the faces of one image from 0 on")
        for name, differs in others.items():
            why = f"is not 0, although {name} is not that of the row before: another image begins here"
            refuse_rows(pa.array(~starts & differs), "face", why)
    return images, pa.array(faces, pa.int32(), mask=failed)


def last_beginning(columns: Mapping[str, pa.Array]) -> int:
    """The last row that begins an image, whatever the call fills in; 0 where that may be the first row alone."""
    certain = np.zeros(len(columns["image"]), bool)
    for name, differs in _others(columns).items():
        if name in _FILLED_IN:
            valid = pc.is_valid(columns[name]).to_numpy(zero_copy_only=False)
            differs[1:] &= valid[1:] & valid[:-1]
        certain |= differs
    return int(np.flatnonzero(certain)[-1]) if certain[1:].any() else 0


def _others(columns: Mapping[str, pa.Array]) -> dict[str, NDArray[np.bool_]]:
    """By column of the identity the rows that differ there from the row before, as the first row does."""
    found = {}
    for name in IDENTITY:
        if name in columns:
            cells = columns[name]
            later, earlier = cells.slice(1), cells.slice(0, max(0, len(cells) - 1))
            differs = pc.or_(
                pc.fill_null(pc.not_equal(later, earlier), False), pc.xor(pc.is_valid(later), pc.is_valid(earlier))
            )
            found[name] = np.concatenate([[True], differs.to_numpy(zero_copy_only=False)])[: len(cells)]
    return found
