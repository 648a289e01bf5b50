from datetime import timedelta

import pytest

from facemon.store.ledger.protocol import Ledger
from facemon.store.row_samples import sample_rows
from tests.store.log_rows import MODEL, NOON, log_images

SPAN = (NOON - timedelta(hours=1), NOON + timedelta(hours=1))


@pytest.fixture
def full(ledger: Ledger) -> Ledger:
    log_images(ledger, 400, observed=NOON, batch=50, sources=("a", "b", None))
    return ledger


def test_a_sample_is_the_same_each_time(full: Ledger) -> None:
    first, second = (sample_rows(full, *SPAN, model=MODEL, most=100) for _ in range(2))
    assert first is not None
    assert first == second
    assert 50 < first.num_rows < 150


def test_one_source_alone_is_sampled_by_its_own_rows(full: Ledger) -> None:
    everything = sample_rows(full, *SPAN, model=MODEL, most=10_000, source="a", rows_of_source=1)
    assert everything is not None
    assert set(everything["source"].to_pylist()) == {"a"}
    some = sample_rows(full, *SPAN, model=MODEL, most=50, source="a", rows_of_source=everything.num_rows)
    assert some is not None
    assert 20 < some.num_rows < 80
    assert sample_rows(full, *SPAN, model=MODEL, most=50, source="nobody", rows_of_source=0) is None
