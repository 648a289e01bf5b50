import math

import numpy as np
import pytest

from facemon.domain.profile import add_profiles
from facemon.drift.design_effect import DesignEffect, Ratio, SourceRows, beyond_hours, hours_ratio
from facemon.drift.moderation import moderated
from tests.domain.spread_of_hours import hourly_spreads
from tests.drift.worlds import profile, yes_no


@pytest.mark.parametrize("run", [1, 3, 10, 30])
@pytest.mark.parametrize("hour_rows", [30.0, 200.0])
def test_a_run_is_told_from_what_the_hours_show_of_it(run: int, hour_rows: float) -> None:
    shown = run - (run**2 - 1) / (2 * hour_rows)
    assert beyond_hours(shown, hour_rows) == pytest.approx(run)


def test_no_longer_run_is_told_than_an_hour() -> None:
    assert beyond_hours(7.0, 12.0) == 12.0


@pytest.mark.parametrize(("ratio", "hour_rows"), [(1.3, 1.0), (0.6, 4.0), (5.0, math.inf)])
def test_an_effect_is_never_lowered(ratio: float, hour_rows: float) -> None:
    assert beyond_hours(ratio, hour_rows) >= ratio


def test_what_goes_beyond_the_hours_proves_nothing() -> None:
    found = moderated({"beard": Ratio(1.3, 30.0, hour_rows=2.6)})["beard"]
    assert found.factor == pytest.approx(1.6)
    assert not found.is_proven
    assert DesignEffect(1.6, 30.0).is_proven


@pytest.mark.parametrize(("run", "hours", "hour_rows"), [(1, 500, 8), (3, 500, 15), (10, 500, 40)])
def test_runs_that_go_on_over_the_hour_are_seen_whole(run: int, hours: int, hour_rows: int) -> None:
    rng = np.random.default_rng(run)
    rows = rng.poisson(hour_rows, hours)
    persons = rng.random((rows.sum() // run + 1, 6)) < 0.4
    marks = np.split(np.repeat(persons, run, axis=0)[: rows.sum()], np.cumsum(rows)[:-1])
    counted = [
        (hour, profile({f"a{at}": yes_no(int(part[:, at].sum()), len(part)) for at in range(6)}))
        for hour, part in enumerate(marks)
        if len(part)
    ]
    whole, spreads = add_profiles([each for _, each in counted]), hourly_spreads(counted)
    ratios = {
        name: hours_ratio([SourceRows((whole.columns[name], whole.columns[name]), (spread, None))])
        for name, spread in spreads.items()
    }
    effects = moderated({name: ratio for name, ratio in ratios.items() if ratio is not None}, lowers=True)
    assert np.mean([effect.factor for effect in effects.values()]) == pytest.approx(run, rel=0.1)
