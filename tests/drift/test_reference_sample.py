from datetime import timedelta
from pathlib import Path

import pytest

from facemon.config.drift import TablesConfig
from facemon.domain import source_buckets
from facemon.domain.drift_result import Check
from facemon.drift.reference_sample import reference_sample
from facemon.drift.sample import Sample
from facemon.store.ledger.opening import open_ledger
from facemon.store.references import reference_spreads, set_from_window
from tests.store.log_rows import ATTRIBUTES, MODEL, NOON, log_images

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
