"""The hash of a report's records: of the records, not of their order or their packing."""

from datetime import timedelta
from random import Random

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.profile_codec import decode_profile, encode_profile
from facemon.store.daily_volumes import DailyVolumes
from facemon.store.record_digest import RecordDigest
from facemon.store.row_profiles import profile_rows
from tests.store.log_rows import NOON, make_batch

RECORDS = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(), st.text(max_size=5)), max_size=8)


def digest_of(records: list[tuple[str, int, str]]) -> RecordDigest:
    digest = RecordDigest()
    for kind, number, text in records:
        digest.add(kind, number, text)
    return digest


@given(RECORDS, st.randoms())
def test_the_order_of_records_does_not_matter_and_each_record_does(
    records: list[tuple[str, int, str]], random: Random
) -> None:
    whole = digest_of(records)
    shuffled = list(records)
    random.shuffle(shuffled)
    assert digest_of(shuffled).hexdigest() == whole.hexdigest()
    assert whole.records.total() == len(records)
    others = [records[:at] + records[at + 1 :] for at in range(len(records))] + [[*records, ("a", 0, "")]]
    assert whole.hexdigest() not in {digest_of(other).hexdigest() for other in others}


def test_a_kind_is_not_part_of_the_record_beside_it() -> None:
    assert digest_of([("a", 1, "b")]).hexdigest() != digest_of([("b", 1, "b")]).hexdigest()


def test_a_profile_has_the_same_hash_before_and_after_it_was_packed() -> None:
    table = pa.Table.from_batches([make_batch(0, 40, run="run").rows])
    hashes = []
    for pack in (lambda profile: profile, lambda profile: decode_profile(encode_profile(profile))):
        digest = RecordDigest()
        for key, profile in profile_rows(table).items():
            digest.add_profile(key, pack(profile))
        hashes.append(digest.hexdigest())
    assert hashes[0] == hashes[1]
    assert hashes[0] != RecordDigest().hexdigest()


def test_volumes_are_those_of_the_rows() -> None:
    volumes, rows = DailyVolumes(), []
    for day in range(3):
        batch = make_batch(
            40 * day, 40, run="run", observed=NOON + day * timedelta(days=1), sources=("gate", None, "yard")
        ).rows
        rows += batch.to_pylist()
        for key, profile in profile_rows(pa.Table.from_batches([batch])).items():
            volumes.add(key, profile)
    expected: dict[tuple[object, str | None], list[int]] = {}
    for row in rows:
        sums = expected.setdefault((row["observed_at"].date(), row["source"]), [0, 0, 0, 0])
        sums[0] += row["face"] in (0, None)
        sums[1] += row["face"] is not None
        sums[2] += row["error"] not in (None, "no_face")
        sums[3] += row["error"] == "no_face"
    found = {
        (each.day, each.source): [each.images, each.faces, each.failed, each.no_face] for each in volumes.volumes()
    }
    assert found == expected
    assert sum(sums[2] for sums in found.values()) > 0
