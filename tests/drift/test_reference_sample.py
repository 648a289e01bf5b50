from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from facemon.config.drift import TablesConfig
from facemon.domain import source_buckets
from facemon.domain.drift_result import Check
from facemon.drift.reference_sample import reference_sample
from facemon.drift.sample import Sample
from facemon.drift.tables import LOG_LAYOUT
from facemon.store.ledger.opening import open_ledger
from facemon.store.named_reference import ReferenceSpreads
from facemon.store.references import reference_profiles, reference_spreads, set_from_window
from tests.store.log_rows import ATTRIBUTES, MODEL, NOON, log_images
from tests.store.read_windows import read_window
from tests.store.test_references import FLOAT32
from tests.store.test_windows import assert_close

WEEK = timedelta(days=7)


def test_a_window_brings_how_much_its_hours_and_days_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_ledger(tmp_path, create=True) as ledger:
        log_images(ledger, 400, spread=WEEK * (1000 / 400), sources=("a", None))
        reference = set_from_window(ledger, "normal", NOON, NOON + WEEK, model=MODEL, note="", now=NOON)
        kept = reference_spreads(ledger, reference)
        assert kept.by_source.keys() == {"a", None}
        assert kept.whole_days.keys() == kept.by_source["a"].days.keys() == kept.by_source["a"].hours.keys()

        def sample(source: str | None = None) -> Sample:
            return reference_sample(
                ledger, reference, attributes=ATTRIBUTES, tables=TablesConfig(), checks=[Check.DATA], layout=None,
                source=source,
            )[0]  # fmt: skip

        for found in (sample(), sample("a")):
            assert (found.spreads, found.whole_days) == (kept.by_source, kept.whole_days)
        assert sample("a").of_source("a").spreads == {None: kept.by_source["a"]}
        monkeypatch.setattr(source_buckets, "MOST_SOURCES", 0)
        assert sample().bucketed
        assert (sample().spreads, sample().whole_days) == ({}, {})
        assert sample("a").spreads == kept.by_source


def test_a_source_that_is_called_other_does_not_ask_for_the_rows(tmp_path: Path) -> None:
    with open_ledger(tmp_path, create=True) as ledger:
        log_images(ledger, 400, spread=WEEK * (1000 / 400), sources=("other", "a"))
        reference = set_from_window(ledger, "normal", NOON, NOON + WEEK, model=MODEL, note="", now=NOON)
        (tmp_path / reference.path).unlink()
        found, _ = reference_sample(
            ledger, reference, attributes=ATTRIBUTES, tables=TablesConfig(), checks=[Check.DATA], layout=None
        )
        assert found.by_source.keys() == found.spreads.keys() == {"other", "a"}
        assert found.whole_days


@pytest.mark.parametrize("source", [None, "camera-69", "camera-3"])
def test_crowded_hours_of_an_older_reference_are_counted_from_its_rows(tmp_path: Path, source: str | None) -> None:
    """facemon kept no spreads of such a reference up to 0.2.0, and rows of sources without a place under `other`."""
    with open_ledger(tmp_path, create=True) as ledger:
        log_images(ledger, 1400, spread=WEEK * (1000 / 1400), sources=tuple(f"camera-{at}" for at in range(70)))
        log_images(ledger, 140, spread=timedelta(hours=5), sources=tuple(f"camera-{at}" for at in range(70)), seed=1)
        new = set_from_window(ledger, "new", NOON, NOON + WEEK, model=MODEL, note="", now=NOON)
        old = replace(new, id="0" * 16, name="old")
        with ledger.writing():
            counted = read_window(ledger, NOON, NOON + WEEK, model=MODEL)
            ledger.references.enter(old, counted, ReferenceSpreads())
        assert "other" in reference_profiles(ledger, old)
        samples = [
            reference_sample(
                ledger, each, attributes=ATTRIBUTES, tables=TablesConfig(), checks=[Check.DATA], layout=LOG_LAYOUT,
                source=source,
            )[0]
            for each in (new, old)
        ]  # fmt: skip
        if source is not None:
            samples = [sample.of_source(source) for sample in samples]
        assert samples[0].by_source == samples[1].by_source
        assert samples[0].spreads.keys() == samples[1].spreads.keys()
        for name, spread in samples[0].spreads.items():
            assert_close(samples[1].spreads[name].hours, spread.hours, FLOAT32)
            assert_close(samples[1].spreads[name].days, spread.days, FLOAT32)
        assert_close(samples[1].whole_days, samples[0].whole_days, FLOAT32)
        assert samples[0].whole_days


def test_an_older_reference_of_too_many_sources_is_put_into_buckets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_buckets, "MOST_SOURCES", 69)
    with open_ledger(tmp_path, create=True) as ledger:
        log_images(ledger, 140, spread=timedelta(hours=5), sources=tuple(f"camera-{at}" for at in range(70)))
        made = set_from_window(ledger, "normal", NOON, NOON + WEEK, model=MODEL, note="", now=NOON)
        found, _ = reference_sample(
            ledger, made, attributes=ATTRIBUTES, tables=TablesConfig(), checks=[Check.DATA], layout=None
        )
        assert (found.bucketed, found.total.images, found.spreads) == (True, 140, {})
