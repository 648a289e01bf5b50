from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from facemon.config.drift import TablesConfig
from facemon.domain.drift_result import Check
from facemon.drift import counted_sample
from facemon.drift import reference_sample as module
from facemon.drift.counted_sample import counting_key, decode_counted, encode_counted
from facemon.drift.reference_sample import reference_sample
from facemon.drift.sample import Sample
from facemon.drift.tables import read_reference
from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.named_reference import Reference
from facemon.store.reference_counts import keep_counts, read_counts
from facemon.store.references import set_from_table
from tests.drift.worlds import NOW, binary

BEARD, TABLES = binary("beard"), TablesConfig()
CHECKS = (Check.DATA, Check.MODEL)


def table(rows: int = 600) -> pa.Table:
    rng = np.random.default_rng(9)
    return pa.table(
        {
            "source": rng.choice(["a", "b", ""], rows),
            "beard": rng.choice(["yes", "no"], rows),
            "width": rng.normal(100, 20, rows),
            "gone": pa.nulls(rows, pa.float64()),
            "name": [f"row {at}" for at in range(rows)],
            "text": ["1", "x 2"] * (rows // 2),
            "single": pa.array(np.arange(rows) % 7 / 10, pa.float32()),
            "truth": np.arange(rows) % 3 == 0,
        }
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(tmp_path / "store", create=True)


@pytest.fixture
def reference(ledger: Ledger) -> Reference:
    return set_from_table(ledger, "spring", table(), kind="predictions", note="", now=NOW)


def test_the_bytes_read_back(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pa.parquet.write_table(table(), path)
    sample, layout = read_reference(path, attributes=[BEARD], tables=TABLES)
    decoded = decode_counted(encode_counted(sample, layout))
    assert decoded is not None
    read, read_layout = decoded
    assert read == sample
    assert (read_layout.empty, read_layout.like_log) == (layout.empty, layout.like_log)
    assert dict(read_layout.precisions) == {"single": "float32"}
    assert read_layout.truths == frozenset({"truth"})
    assert list(read_layout.edges) == list(layout.edges)
    for name, edges in layout.edges.items():
        np.testing.assert_array_equal(read_layout.edges[name], edges)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The tables that were counted."""
    counted: list[Path] = []

    def counting(path: Path, **how: object) -> object:
        counted.append(path)
        return read_reference(path, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "read_reference", counting)
    return counted


def sample_of(ledger: Ledger, reference: Reference, checks: Sequence[Check], *, keeps: bool = True) -> Sample:
    return reference_sample(
        ledger, reference, attributes=[BEARD], tables=TABLES, checks=checks, layout=None, keeps_counts=keeps
    )[0]


def test_a_look_takes_the_counts_that_are_kept_and_keeps_none(
    ledger: Ledger, reference: Reference, counted: list[Path]
) -> None:
    key = counting_key([BEARD], TABLES, CHECKS)
    looked = sample_of(ledger, reference, CHECKS, keeps=False)
    assert read_counts(ledger, reference, key) is None
    assert sample_of(ledger, reference, CHECKS) == looked == sample_of(ledger, reference, CHECKS, keeps=False)
    assert len(counted) == 2


def test_a_reference_is_counted_once(ledger: Ledger, reference: Reference, counted: list[Path]) -> None:
    found = [sample_of(ledger, reference, checks) for checks in (CHECKS, CHECKS, CHECKS, (Check.DATA,), (Check.DATA,))]
    assert len(counted) == 1
    assert len({id(each) for each in found}) == 5
    assert all(each == found[0] for each in found)


@pytest.mark.parametrize("damage", ["empty", "torn", "turned", "of another form"])
def test_damaged_counts_are_counted_again(
    ledger: Ledger, reference: Reference, counted: list[Path], damage: str
) -> None:
    def sample() -> Sample:
        return sample_of(ledger, reference, CHECKS)

    whole, key = sample(), counting_key([BEARD], TABLES, CHECKS)
    kept = read_counts(ledger, reference, key)
    assert kept is not None
    middle = len(kept) // 2
    damaged = {
        "empty": b"",
        "torn": kept[:-1],
        "turned": kept[:middle] + bytes([kept[middle] ^ 1]) + kept[middle + 1 :],
        "of another form": sha256(b"{}").digest() + b"{}",
    }[damage]
    keep_counts(ledger, reference, key, damaged)
    assert sample() == sample() == whole
    assert len(counted) == 2
    assert read_counts(ledger, reference, key) == kept


def test_another_way_of_counting_is_another_key() -> None:
    keys = {
        counting_key([BEARD], TABLES, CHECKS),
        counting_key([BEARD], TABLES, [Check.DATA]),
        counting_key([binary("hat")], TABLES, CHECKS),
        counting_key([BEARD], TablesConfig(columns={"beard": "b"}), CHECKS),
    }
    assert len(keys) == 4
    assert counting_key([BEARD], TABLES, CHECKS) == counting_key([BEARD], TABLES, CHECKS[::-1])


def test_another_version_of_the_counting_is_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    key = counting_key([BEARD], TABLES, CHECKS)
    monkeypatch.setattr(counted_sample, "_COUNTING", counted_sample._COUNTING + 1)
    assert counting_key([BEARD], TABLES, CHECKS) != key
