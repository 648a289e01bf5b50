"""Samples of more sources than are kept apart: what stands in buckets on one side does so on the other."""

from dataclasses import replace

import numpy as np
import pytest

from facemon.config.drift import DriftConfig
from facemon.domain.drift_result import Check, Verdict
from facemon.domain.labelled import LabelledCount
from facemon.domain.profile import Profile
from facemon.domain.source_buckets import BUCKETS, SourceProfiles, bucket_of
from facemon.domain.spread import Spread, SpreadProfile
from facemon.drift.accuracy import with_accuracy
from facemon.drift.drift_check import run_checks
from facemon.drift.sample import Sample, alike
from tests.drift.worlds import EMPTY, NOW, binary, cameras, judge

SIZES = np.full(600, 10)


def crowd(rng: np.random.Generator, rates: np.ndarray, sizes: np.ndarray = SIZES) -> Sample:
    return Sample.of_profiles(SourceProfiles.bounded(cameras(rng, rates, sizes).by_source))


def test_buckets_hold_the_rows_of_their_sources() -> None:
    apart = cameras(np.random.default_rng(1), np.full(600, 0.4), SIZES)
    merged = apart.in_buckets()
    assert merged.bucketed
    assert merged.total == apart.total
    assert set(merged.by_source) == {f"bucket {number}" for number in range(BUCKETS)}
    assert merged.in_buckets() is merged
    place = merged.place_of("camera 7")
    held = [name for name in apart.by_source if bucket_of(name) == place]
    assert merged.by_source[place].faces == 10 * len(held)


def test_a_few_sources_are_paired_with_the_buckets_of_many() -> None:
    rng = np.random.default_rng(2)
    few, many = cameras(rng, np.full(200, 0.4), np.full(200, 30)), crowd(rng, np.full(600, 0.4))
    assert (few.bucketed, many.bucketed) == (False, True)
    assert [sample.bucketed for sample in alike(few, few)] == [False, False]
    for sides in ((few, many), (many, few)):
        assert [set(side.by_source) for side in alike(*sides)] == [set(many.by_source)] * 2
        (found,) = judge(*sides, "beard").columns
        assert found.test == f"paired t over {BUCKETS} buckets of sources"
    (found,) = judge(few, few, "beard").columns
    assert (found.test or "").startswith("Cochran-Mantel-Haenszel over 200 sources")


def test_rows_without_a_source_stay_without_one() -> None:
    rng = np.random.default_rng(3)
    many = cameras(rng, np.full(600, 0.4), SIZES).by_source
    lone = cameras(rng, np.full(1, 0.4), np.full(1, 90_000)).by_source["camera 0"]
    found = Sample.of_profiles(SourceProfiles.bounded({**many, None: lone}))
    assert found.by_source[None] == lone
    (column,) = judge(found, found, "beard").columns
    assert column.test == "exact mid-p"


def test_accuracy_stands_in_the_buckets_too() -> None:
    sample = crowd(np.random.default_rng(4), np.full(600, 0.4))
    counts = [LabelledCount("beard", f"camera {number}", 9, 10) for number in range(600)]
    found = with_accuracy(sample, counts)
    assert found.by_source == sample.by_source
    assert found.labelled.keys() == sample.by_source.keys()
    assert found.accuracy().bucketed


def test_one_source_is_no_bucket() -> None:
    sample = cameras(np.random.default_rng(5), np.full(9, 0.4), np.full(9, 10)).of_source("camera 3")
    assert (sample.rows, sample.bucketed) == (10, False)
    assert crowd(np.random.default_rng(5), np.full(600, 0.4)).of_source("camera 3").total == Profile()


def test_spreads_go_where_their_rows_go() -> None:
    hours, days = (Spread(np.full(2, value), 1.0, 6, ("no", "yes")) for value in (0.2, 0.3))
    spread, other = SpreadProfile({"beard": hours}, {"beard": days}), SpreadProfile({"beard": days})
    by_source = cameras(np.random.default_rng(9), np.full(3, 0.4), np.full(3, 10)).by_source
    profiles = SourceProfiles(by_source, spreads={"camera 0": spread, "camera 1": other})
    sample = replace(Sample.of_profiles(profiles), whole_days={"beard": hours})
    assert sample.spreads == profiles.spreads
    one = sample.of_source("camera 0")
    assert (one.spreads, one.whole_days) == ({None: spread}, {"beard": days})
    for name in ("camera 2", "unknown"):
        assert (sample.of_source(name).spreads, sample.of_source(name).whole_days) == ({}, {})
    for without in (sample.in_buckets(), sample.accuracy(), Sample.of_sources(by_source)):
        assert (without.spreads, without.whole_days) == ({}, {})


def test_more_sources_than_are_kept_apart_are_not_judged_one_by_one() -> None:
    rng = np.random.default_rng(6)
    sides = crowd(rng, np.full(600, 0.4)), cameras(rng, np.full(9, 0.4), np.full(9, 600))
    results = [
        run_checks(
            *each, checks=[Check.MODEL], attributes=[binary("beard")], settings=DriftConfig(), at=NOW,
            reference_side=EMPTY, current_side=EMPTY, by_source=True,
        )
        for each in (sides, sides[::-1])
    ]  # fmt: skip
    for result in results:
        assert result.sources == ()
        assert result.verdict is result.checks[Check.MODEL].verdict, "all of them together are judged"
        assert "None of more than 512 sources was judged by itself" in " ".join(result.notes)
        assert "--source NAME" in " ".join(result.notes)


@pytest.mark.slow
@pytest.mark.long_proof
@pytest.mark.parametrize(
    ("sources", "new"), [(200, 0), pytest.param(600, 0, marks=pytest.mark.only_at_length), (600, 200)]
)
def test_no_more_false_alarms_than_were_asked_for(sources: int, new: int, at_length: bool) -> None:
    """Each source has a rate and a number of rows of its own, which stir from window to window."""
    rng = np.random.default_rng(7)
    p_values, repeats = [], 400 if at_length else 130
    for _ in range(repeats):
        own = rng.beta(4, 6, sources + new)
        sides = []
        for seen in (slice(0, sources), slice(new, sources + new)):
            rates = np.clip(own[seen] + rng.normal(0, 0.05, sources), 0, 1)
            side = cameras(rng, rates, rng.integers(5, 60, sources)).by_source.values()
            named: dict[str | None, Profile] = dict(
                zip((f"camera {at}" for at in range(seen.start, seen.stop)), side, strict=True)
            )
            sides.append(Sample.of_profiles(SourceProfiles.bounded(named)))
        (column,) = judge(sides[0], sides[1], "beard").columns
        p_values.append(column.p_value or 0.0)
    # 5 % and two standard errors.
    assert np.mean(np.array(p_values) <= 0.05) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / repeats)


def test_a_shift_of_all_sources_is_seen_through_the_buckets() -> None:
    rng = np.random.default_rng(8)
    rates = rng.beta(4, 6, 600)
    (column,) = judge(crowd(rng, rates), crowd(rng, np.clip(rates + 0.1, 0, 1)), "beard").columns
    assert column.verdict is Verdict.DRIFT
