from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.column_shape import ColumnShape
from facemon.reports.sparkline import both_sides, sparkline


def test_bars_by_the_largest_share() -> None:
    assert sparkline((0.0, 0.001, 0.25, 0.5)) == "▁▂▅█"
    assert sparkline((0.25,), highest=0.5) == "▅"
    assert (sparkline(()), sparkline((0.0, 0.0))) == ("", "▁▁")


@given(st.lists(st.floats(0, 1), min_size=1))
def test_a_larger_share_is_never_a_lower_bar(shares: list[float]) -> None:
    bars = sparkline(sorted(shares))
    assert list(bars) == sorted(bars)
    assert all((bar == "▁") == (share == 0) for bar, share in zip(bars, sorted(shares), strict=True))


def test_both_sides_share_a_scale() -> None:
    assert both_sides(ColumnShape(("a", "b"), (0.5, 0.5), (0.0, 1.0), is_ordered=False)) == "▅▅ ▏▁█"
