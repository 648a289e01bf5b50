"""Shares as a line of small bars, for a cell of a table."""

import math
from collections.abc import Sequence

from facemon.domain.column_shape import ColumnShape

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(shares: Sequence[float], highest: float | None = None) -> str:
    """One bar per share, the full one for `highest` (default: the largest share); only 0 gets the lowest."""
    top = max(shares, default=0.0) if highest is None else highest
    if top <= 0:
        return _BARS[0] * len(shares)
    return "".join(_BARS[min(math.ceil(share / top * (len(_BARS) - 1)), len(_BARS) - 1)] for share in shares)


def both_sides(shape: ColumnShape) -> str:
    """The reference's bars and the current ones on the same scale."""
    highest = max((*shape.reference, *shape.current), default=0.0)
    return f"{sparkline(shape.reference, highest)} ▏{sparkline(shape.current, highest)}"
