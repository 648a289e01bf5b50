"""What a delivery adds to a ledger's sums: counted from its rows, and as parts of its commit."""

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from facemon.domain.profile import Profile, ProfileKey, add_profiles
from facemon.domain.profile_codec import decode_profile, encode_profile
from facemon.store.totals import TotalKey, Totals, sum_totals

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass
class AddedSums:
    """Totals, profiles and arrivals."""

    totals: Totals = field(default_factory=dict)
    profiles: dict[ProfileKey, Profile] = field(default_factory=dict)
    arrivals: dict[tuple[str, int], int] = field(default_factory=dict)

    def add(self, table: "pa.Table") -> None:
        """Count the rows of a table, all of one model; all faces of an image are in it, next to each other."""
        from facemon.store.arrivals import rows_by_hour
        from facemon.store.row_counts import count_rows
        from facemon.store.row_profiles import profile_rows

        self.totals = sum_totals(self.totals, count_rows(table))
        for key, profile in profile_rows(table).items():
            known = self.profiles.get(key)
            self.profiles[key] = profile if known is None else add_profiles([known, profile])
        for hour, rows in rows_by_hour(table).items():
            self.arrivals[hour] = self.arrivals.get(hour, 0) + rows

    def parts(self) -> dict[str, Any]:
        """Return them as parts of a commit, for JSON."""
        return {
            "totals": [[*key, value] for key, value in self.totals.items()],
            "profiles": [
                [*key, base64.b64encode(encode_profile(profile)).decode()] for key, profile in self.profiles.items()
            ],
            "arrivals": [[*key, rows] for key, rows in self.arrivals.items()],
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read them from a commit; many kinds of errors for what is not there or is something else."""
        totals = {TotalKey(str(metric), tuple(map(str, labels)), str(part)): float(value)
                  for metric, labels, part, value in document["totals"]}  # fmt: skip
        if not all(map(math.isfinite, totals.values())):
            raise ValueError("a total is not a number")
        profiles = {
            ProfileKey(int(hour), str(model), None if source is None else str(source), str(origin)): decode_profile(
                base64.b64decode(data, validate=True)
            )
            for hour, model, source, origin, data in document["profiles"]
        }
        return cls(totals, profiles, {(str(model), int(hour)): int(rows) for model, hour, rows in document["arrivals"]})
