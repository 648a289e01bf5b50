from datetime import timedelta

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.profile import ProfileKey, add_profiles
from facemon.store.row_profiles import profile_rows
from tests.store.log_rows import MODEL, NOON, SCHEMA, make_batch
from tests.store.oracles import Row, count_profile, plain

Image = tuple[int, str | None, int, str | None, str, str]


def rows_of(images: list[Image]) -> list[Row]:
    rows: list[Row] = []
    for ordinal, (faces, error, hour, source, model, origin) in enumerate(images):
        base = {
            "run": "r", "ordinal": ordinal, "image": "i", "image_sha256": "0", "predicted_at": NOON, "model": model,
            "observed_at": NOON + timedelta(hours=hour), "source": source, "origin": origin,
        }  # fmt: skip
        if error or not faces:
            rows.append(base | {"error": error or "no_face"})
        rows.extend(
            base | {
                "face": face, "image_brightness": 0.25 * face if face == 0 else None, "image_face_share": 0.1 + face,
                "gender": [None, "female", "male"][(ordinal + face) % 3], "gender_confidence": 0.5 + 0.01 * ordinal,
                "age_value": None if face else 30.0 - ordinal,
            }
            for face in range(0 if error else faces)
        )  # fmt: skip
    return rows


images = st.lists(
    st.tuples(
        st.integers(0, 4), st.sampled_from([None, None, "unreadable"]), st.integers(-500_000, 2),
        st.sampled_from([None, "a", "b"]), st.sampled_from(["m@1", "m@2"]), st.sampled_from(["batch", "api"]),
    ), max_size=25,
)  # fmt: skip


@given(images)
def test_profiles_are_what_the_rows_are(given_images: list[Image]) -> None:
    rows = rows_of(given_images)
    table = pa.Table.from_pylist(rows, SCHEMA)
    expected: dict[ProfileKey, list[Row]] = {}
    for row in table.to_pylist():
        hour = int(row["observed_at"].timestamp()) // 3600
        expected.setdefault(ProfileKey(hour, row["model"], row["source"], row["origin"]), []).append(row)
    found = profile_rows(table)
    assert {key: plain(profile) for key, profile in found.items()} == {
        key: count_profile(part) for key, part in expected.items()
    }


@given(images, st.data())
def test_the_profiles_of_pieces_add_up(given_images: list[Image], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(given_images)))
    whole = profile_rows(pa.Table.from_pylist(rows_of(given_images), SCHEMA))
    rows = rows_of(given_images)
    pieces = [[row for row in rows if (row["ordinal"] < cut) is first] for first in (True, False)]
    parts = [profile_rows(pa.Table.from_pylist(piece, SCHEMA)) for piece in pieces]
    assert {key: add_profiles(part[key] for part in parts if key in part) for key in whole} == whole


def test_an_empty_source_is_none(ledger: object) -> None:
    table = pa.Table.from_batches([make_batch(0, 20, run="r", sources=("", None)).rows])
    (key,) = profile_rows(table)
    assert key == ProfileKey(int(NOON.timestamp()) // 3600, MODEL, None, "batch")


def test_rows_in_many_pieces_are_counted_as_in_one() -> None:
    batch = make_batch(0, 100, run="r", sources=("a", "b")).rows
    pieces = pa.Table.from_batches([batch.slice(at, 7) for at in range(0, batch.num_rows, 7)])
    assert profile_rows(pieces) == profile_rows(pa.Table.from_batches([batch]))


@given(images, st.data())
def test_rows_that_begin_within_an_image(given_images: list[Image], data: st.DataObject) -> None:
    """Earlier versions logged rows that differ in time as faces of one image: a window may begin among them."""
    rows = rows_of(given_images)
    if later := [place for place, row in enumerate(rows) if row.get("face")]:
        part = pa.Table.from_pylist(rows[data.draw(st.sampled_from(later)) :], SCHEMA)
        total = add_profiles(profile_rows(part).values())
        assert total.images == sum(not row["face"] for row in part.to_pylist())
        assert total.columns["gender"].total == sum(row["face"] is not None for row in part.to_pylist())
