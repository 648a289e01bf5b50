"""The images of each day and source, from the profiles of hours alone."""

from collections.abc import Iterable
from datetime import UTC, datetime

from facemon.domain.packed_columns import packed
from facemon.domain.period_report import Volume
from facemon.domain.profile import Profile, ProfileKey
from facemon.domain.times import start_of_hour

_YES = "yes"


class DailyVolumes:
    """Adds up profiles by UTC day and source, over models and origins."""

    def __init__(self) -> None:
        self._sums: dict[tuple[datetime, str | None], list[int]] = {}

    def add(self, key: ProfileKey, profile: Profile) -> None:
        """Add the profile of an hour to its day and source."""
        day = start_of_hour(key.hour).astimezone(UTC).replace(hour=0)
        columns = packed(profile.columns)
        failures = (columns.counts_of(f"image_{name}").get(_YES, 0) for name in ("failed", "no_face"))
        sums = self._sums.setdefault((day, key.source), [0, 0, 0, 0])
        sums[:] = [held + more for held, more in zip(sums, (profile.images, profile.faces, *failures), strict=True)]

    def volumes(self) -> Iterable[Volume]:
        """The sums by day, and of a day by source, those without one first."""
        for (day, source), sums in sorted(self._sums.items(), key=lambda each: (each[0][0], each[0][1] or "")):
            yield Volume(day.date(), source, *sums)
