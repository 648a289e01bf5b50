"""How much hours differ, without their sum."""

from collections.abc import Sequence

from facemon.domain.hourly_spread import add_hours
from facemon.domain.profile import Profile
from facemon.domain.spread import Spread


def hourly_spreads(hours: Sequence[tuple[int, Profile]]) -> dict[str, Spread]:
    return add_hours(hours)[1]
