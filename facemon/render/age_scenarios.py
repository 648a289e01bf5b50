"""Scenarios about ages: just above a limit, exactly at it, and the same of times in the future."""

from collections.abc import Callable

from facemon.render.promql_ages import AHEAD
from facemon.render.scenario import Firing, Scenario, Signal


def at_the_limits(
    signals: Callable[[float], tuple[Signal, ...]], age: float, fires: Firing
) -> tuple[Scenario, ...]:  # fmt: skip
    """What is just too old and what is just not, and the same of what is dated in the future."""
    return (
        Scenario("just too old", signals(1.005 * age), fires),
        Scenario("exactly at the limit", signals(age)),
        Scenario("dated in the future", signals(-1.005 * AHEAD), fires),
        Scenario("exactly a day ahead", signals(-AHEAD)),
    )
