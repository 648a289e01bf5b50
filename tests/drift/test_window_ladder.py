from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from facemon.config.drift import DriftConfig
from facemon.domain.drift_result import Check
from facemon.domain.profile import Profile
from facemon.drift.compared_columns import ComparedColumn
from facemon.drift.sample import Sample
from facemon.drift.window_ladder import MOST_SOURCES, Ladder, Rung, climb, rungs_of, sources_to_judge
from tests.drift.worlds import profile, single, yes_no

DAY = timedelta(days=1)
NOW = datetime(2026, 11, 29, 2, tzinfo=UTC)
SETTINGS = DriftConfig()


def names(rungs: Sequence[Rung]) -> list[str]:
    return [rung.name for rung in rungs]


@pytest.mark.parametrize(
    ("window", "widen_to", "expected"),
    [
        (DAY, 14 * DAY, ["24h", "2d", "4d", "7d", "14d"]),
        (DAY, 28 * DAY, ["24h", "2d", "4d", "7d", "14d", "28d"]),
        (DAY, 10 * DAY, ["24h", "2d", "4d", "7d", "10d"]),
        (DAY, DAY, ["24h"]),
        (7 * DAY, 14 * DAY, ["7d", "14d"]),
        (30 * DAY, 14 * DAY, ["30d"]),
        (timedelta(hours=6), 2 * DAY, ["6h", "2d"]),
    ],
)
def test_windows_up_to_the_longest(window: timedelta, widen_to: timedelta, expected: list[str]) -> None:
    rungs = rungs_of(NOW - window, NOW, widen_to=widen_to)
    assert names(rungs) == expected
    assert rungs[0].since == NOW - window


def test_the_last_window_begins_at_the_references_end() -> None:
    rungs = rungs_of(NOW - DAY, NOW, widen_to=14 * DAY, not_before=NOW - timedelta(hours=60))
    assert names(rungs) == ["24h", "2d", "2d12h"]
    assert rungs[-1].since == NOW - timedelta(hours=60)


def test_a_window_that_the_reference_cuts_is_the_only_one() -> None:
    assert names(rungs_of(NOW - DAY / 2, NOW, widen_to=14 * DAY, not_before=NOW - DAY / 2)) == ["12h"]


def climbed(reference: Sample, read: Callable[[Rung], Sample]) -> Ladder:
    rungs = rungs_of(NOW - DAY, NOW, widen_to=14 * DAY)
    columns = [(Check.MODEL, ComparedColumn("beard", "beard"))]
    return climb(reference, rungs, read, lambda _: columns, SETTINGS, judges_sources=True)


def days_of(rung: Rung) -> int:
    return (NOW - rung.since) // DAY


@pytest.mark.parametrize(("a_day", "longest"), [(5000, "24h"), (150, "2d"), (100, "4d"), (30, "14d"), (0, "24h")])
def test_few_rows_a_day_need_longer_windows(a_day: int, longest: str) -> None:
    reference = single(beard=yes_no(3000, 10_000))
    ladder = climbed(reference, lambda rung: single(beard=yes_no(a_day * days_of(rung) // 3, a_day * days_of(rung))))
    assert ladder.longest.rung.name == longest
    assert len(ladder.windows) == ladder.whole


def test_of_a_single_window_nothing_is_asked_but_its_rows() -> None:
    def unasked(_: Sample) -> list[tuple[Check, ComparedColumn]]:
        pytest.fail("there is no longer window")

    reference, sample = single(beard=yes_no(3000, 10_000)), single(beard=yes_no(3, 10))
    ladder = climb(reference, [Rung("24h", NOW - DAY)], lambda _: sample, unasked, SETTINGS, judges_sources=True)
    assert (ladder.longest.sample, ladder.whole) == (sample, 1)


def test_no_more_is_read_than_is_needed() -> None:
    read = []

    def rows(rung: Rung) -> Sample:
        read.append(rung.name)
        return single(beard=yes_no(300 * days_of(rung), 1000 * days_of(rung)))

    climbed(single(beard=yes_no(3000, 10_000)), rows)
    assert read == ["24h"]


def test_what_the_rows_hold_does_not_choose_the_window() -> None:
    reference = single(beard=yes_no(3000, 10_000))
    chosen = {
        climbed(reference, lambda rung, yes=yes: single(beard=yes_no(yes * days_of(rung), 300 * days_of(rung)))).whole  # type: ignore[misc]
        for yes in (0, 100, 300)
    }
    assert len(chosen) == 1


def test_each_source_has_a_window_of_its_own_and_a_silent_one_stays_silent() -> None:
    def cameras(busy: int, slow: int, silent: int) -> Sample:
        rows = {"busy": busy, "slow": slow, "silent": silent}
        return Sample.of_sources({name: profile({"beard": yes_no(n // 3, n)}) for name, n in rows.items() if n})

    ladder = climbed(
        cameras(10_000, 3000, 1000),
        lambda rung: cameras(5000 * days_of(rung), 60 * days_of(rung), 1000 if days_of(rung) > 3 else 0),
    )
    assert ladder.whole == 1
    assert ladder.sources["busy"] == 1
    assert ladder.sources["slow"] > 2
    # Rows of days ago would hide that it has none now.
    assert ladder.sources["silent"] == 1


def test_the_sources_with_the_most_rows_are_judged() -> None:
    many: dict[str | None, Profile] = {
        f"c{at:03}": profile({"x": yes_no(1, 10 + at)}) for at in range(MOST_SOURCES + 5)
    }
    sample = Sample.of_sources({**many, None: profile({"x": yes_no(500, 1000)})})
    judged = sources_to_judge(sample, sample)
    assert len(judged) == MOST_SOURCES
    assert judged[-1] is None
    assert "c000" not in judged
    assert judged[0] == "c006"


def test_silent_sources_are_beside_those_with_the_most_rows() -> None:
    many: dict[str | None, Profile] = {
        f"c{at:03}": profile({"x": yes_no(1, 10 + at)}) for at in range(MOST_SOURCES + 5)
    }
    heard = {name: each for name, each in many.items() if name not in {"c000", "c005"}}
    alone = sources_to_judge(Sample.of_sources(heard), Sample.of_sources(heard))
    judged = sources_to_judge(Sample.of_sources(many), Sample.of_sources(heard))
    assert set(judged) - set(alone) == {"c000", "c005"}
    assert len(alone) == MOST_SOURCES
    # A new source is not silent.
    assert len(sources_to_judge(Sample.of_sources(heard), Sample.of_sources(many))) == MOST_SOURCES


@pytest.mark.parametrize("rows", [{None: 10}, {}])
def test_rows_without_any_source_have_none_to_judge(rows: dict[str | None, int]) -> None:
    sample = Sample.of_sources({name: profile({"x": yes_no(1, n)}) for name, n in rows.items()})
    assert sources_to_judge(sample, sample) == ()
    assert sources_to_judge(replace(sample, bucketed=True), sample) == ()
