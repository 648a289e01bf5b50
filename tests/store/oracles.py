"""What windows and totals must be, counted row by row in plain Python, and small looks into a store."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import numpy as np

from facemon.domain.binning import Scale, bins_of
from facemon.domain.prediction import IMAGE_FEATURES
from facemon.domain.profile import ColumnKind, Profile
from facemon.store.ledger.protocol import Ledger
from facemon.store.segment_files import read_segment

Row = dict[str, Any]
LABELS = ("gender", "age")
CONFIDENCES = ("gender_confidence", "age_confidence")
_FACES: dict[int, tuple[int | None, ...]] = {0: (None,), 1: (None,), 2: (0, 1)}
Counted = tuple[int, int, int, dict[str, dict[object, int]]]


def log_rows(ledger: Ledger) -> list[Row]:
    """Every row of the log."""
    return [row for segment in ledger.segments.within() for row in read_segment(ledger, segment).to_pylist()]


def expected_identities(images: int) -> Counter[tuple[int, int | None]]:
    """The (ordinal, face) of every row that `make_batch` makes of so many images."""
    found: Counter[tuple[int, int | None]] = Counter()
    for ordinal in range(images):
        faces: tuple[int | None, ...] = _FACES.get(ordinal % 10, (0,))
        found.update((ordinal, face) for face in faces)
    return found


def logged_identities(ledger: Ledger) -> Counter[tuple[int, int | None]]:
    """The (ordinal, face) of every row of the log."""
    return Counter((row["ordinal"], row["face"]) for row in log_rows(ledger))


def count_by_source(rows: Iterable[Row], since: datetime, until: datetime, model: str) -> dict[str | None, Counted]:
    """What `read_window` must answer."""
    sides: dict[str | None, list[Row]] = {}
    for row in rows:
        if since <= row["observed_at"] < until and row["model"] == model:
            sides.setdefault(row["source"], []).append(row)
    return {source: count_profile(side) for source, side in sides.items()}


def count_profile(rows: list[Row]) -> Counted:
    """A profile of rows: images, faces, squares and the counts of each column."""
    images: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        images.setdefault((row["run"], row["ordinal"]), []).append(row)
    columns: dict[str, Counter[object]] = {}
    squares = faces = 0
    for parts in images.values():
        found = [row for row in parts if row["face"] is not None]
        failed = parts[0]["error"] not in (None, "no_face")
        faces, squares = faces + len(found), squares + len(found) ** 2
        _add(columns, "image_failed", "yes" if failed else "no")
        _add(columns, "image_no_face", "yes" if not failed and not found else "no")
        _add(columns, "image_faces", bin_of(None if failed else len(found)))
        for feature in set(IMAGE_FEATURES) - {"face_share"}:
            _add(columns, f"image_{feature}", bin_of(parts[0][f"image_{feature}"]))
        for row in found:
            _add(columns, "image_face_share", bin_of(row["image_face_share"]))
            _add(columns, "age_value", bin_of(row["age_value"]))
            for name in LABELS:
                _add(columns, name, row[name] or "")
            for name in CONFIDENCES:
                _add(columns, name, bin_of(row[name], Scale.LOGIT))
    return len(images), faces, squares, {name: dict(counts) for name, counts in columns.items()}


def plain(profile: Profile) -> Counted:
    """A profile in the form of `count_profile`."""
    columns: dict[str, dict[object, int]] = {}
    for name, column in profile.columns.items():
        keys = column.labels if column.kind is ColumnKind.CATEGORICAL else column.bins.tolist()
        columns[name] = dict(zip(keys, column.counts.tolist(), strict=True))
    return profile.images, profile.faces, profile.squares, columns


def bin_of(value: float | None, scale: Scale = Scale.LOG_LINEAR) -> int:
    """The bin of one value."""
    return int(bins_of(np.array([np.nan if value is None else value]), scale)[0])


def _add(columns: dict[str, Counter[object]], name: str, key: object) -> None:
    columns.setdefault(name, Counter())[key] += 1
