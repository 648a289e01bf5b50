from datetime import timedelta

import pytest

from facemon.store import segment_writer
from facemon.store.ledger.profile_table import MAX_SOURCES
from facemon.store.ledger.protocol import Ledger
from facemon.store.retention import prune
from facemon.store.verification import verify
from tests.store.log_rows import NOON, log_images
from tests.store.sql import sql

CAMERAS = tuple(f"camera-{number:02}" for number in range(70))


def test_rows_are_added_to_their_hour(ledger: Ledger) -> None:
    log_images(ledger, 40, spread=timedelta(hours=100), sources=("a", None))
    once = ledger.profiles.all()
    assert {(key.hour, key.source) for key in once} == {
        (int(NOON.timestamp()) // 3600 + hour, source) for hour in range(4) for source in ("a", None)
    }
    log_images(ledger, 40, spread=timedelta(hours=100), sources=("a", None))
    twice = ledger.profiles.all()
    assert {key: profile.images for key, profile in twice.items()} == {
        key: 2 * profile.images for key, profile in once.items()
    }
    assert verify(ledger).problems == ()


@pytest.mark.parametrize("batch", [35, 140])
def test_an_hour_keeps_64_sources_apart(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    monkeypatch.setattr(segment_writer, "SEGMENT_ROWS", batch)
    log_images(ledger, 140, batch=batch, sources=(*CAMERAS, None))
    sources = {key.source for key in ledger.profiles.all()}
    assert len(sources) == MAX_SOURCES + 2
    assert {"other", None} <= sources
    assert verify(ledger).problems == ()


def test_the_last_hour_of_a_source(ledger: Ledger) -> None:
    log_images(ledger, 40, spread=timedelta(hours=100), sources=("a", None))
    keys = ledger.profiles.all()
    hours = sorted({key.hour for key in keys})
    model = next(iter(keys)).model
    assert ledger.profiles.last_hour(model, "a", hours[-1] + 1) == hours[-1]
    assert ledger.profiles.last_hour(model, "a", hours[-1]) == hours[-2]
    assert ledger.profiles.last_hour(model, "a", hours[0]) is None
    assert ledger.profiles.last_hour(model, "b", hours[-1] + 1) is None


def test_a_source_that_is_called_other_is_counted_with_them(ledger: Ledger) -> None:
    log_images(ledger, 140, sources=("other", *CAMERAS[:64]))
    assert len(ledger.profiles.all()) == MAX_SOURCES + 1
    assert verify(ledger).problems == ()


def test_a_crowded_hour_comes_apart_as_it_came_together(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are taken from where they were counted, though other sources have gone, come and come back since."""
    monkeypatch.setattr(segment_writer, "SEGMENT_ROWS", 1)
    minute = timedelta(minutes=1)
    log_images(ledger, 40, batch=40, observed=NOON, sources=CAMERAS[:40])
    log_images(ledger, 40, batch=40, observed=NOON + minute, sources=CAMERAS[30:])
    prune(ledger, NOON + minute)
    assert verify(ledger).problems == ()
    log_images(ledger, 70, batch=70, observed=NOON + 2 * minute, sources=CAMERAS[::-1])
    assert verify(ledger).problems == ()
    assert len(ledger.profiles.all()) <= MAX_SOURCES + 1
    prune(ledger, NOON + 2 * minute)
    assert verify(ledger).problems == ()
    assert sum(profile.images for profile in ledger.profiles.all().values()) == 70
    assert min(count for p in ledger.profiles.all().values() for c in p.columns.values()
               for count in c.counts.tolist()) > 0  # fmt: skip
    prune(ledger, NOON + 3 * minute)
    assert sql(ledger).execute("SELECT * FROM profiles").fetchall() == []


def test_a_crowded_hour_goes_whole(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sources that go first leave places; those beyond the 64th must not be sought there."""
    monkeypatch.setattr(segment_writer, "SEGMENT_ROWS", 1)
    log_images(ledger, 40, batch=40, observed=NOON, sources=CAMERAS[:40])
    log_images(ledger, 40, batch=40, observed=NOON + timedelta(minutes=1), sources=CAMERAS[30:])
    prune(ledger, NOON + timedelta(hours=1))
    assert sql(ledger).execute("SELECT * FROM profiles").fetchall() == []
    assert verify(ledger).problems == ()
