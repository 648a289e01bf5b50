"""Images a day, from a log that is made up."""

from datetime import timedelta
from pathlib import Path

import pytest

from facemon.store.ledger.opening import open_ledger
from facemon.store.ledger.protocol import Ledger
from facemon.store.logged_rate import images_per_day
from tests.store.log_rows import MODEL, NOON, log_images

DAY = timedelta(days=1)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(tmp_path / "store", create=True)


def test_a_log_of_many_days_counts_the_last_seven(ledger: Ledger) -> None:
    with ledger:
        for ago in range(20):
            log_images(ledger, 100 if ago < 8 else 10, observed=NOON - ago * DAY, seed=ago)
        # NOON itself and the seven noons before it, of which the first one's hour has begun.
        assert images_per_day(ledger, MODEL, NOON + timedelta(minutes=1)) == pytest.approx(8 * 100 / 7)
        assert images_per_day(ledger, MODEL, NOON + DAY / 2) == pytest.approx(100)
        assert images_per_day(ledger, "another@1", NOON) is None


def test_a_young_log_counts_from_its_first_row(ledger: Ledger) -> None:
    with ledger:
        assert images_per_day(ledger, MODEL, NOON) is None
        log_images(ledger, 60, observed=NOON)
        log_images(ledger, 60, observed=NOON + DAY, seed=1)
        assert images_per_day(ledger, MODEL, NOON + 2 * DAY) == pytest.approx(60)
        assert images_per_day(ledger, MODEL, NOON + 30 * DAY) is None


def test_less_than_a_day_is_a_day(ledger: Ledger) -> None:
    with ledger:
        log_images(ledger, 60, observed=NOON)
        assert images_per_day(ledger, MODEL, NOON + timedelta(hours=2)) == 60
