import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.drift.multiplicity import adjusted


def test_the_textbook_example() -> None:
    assert adjusted([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])


@given(st.lists(st.floats(0, 1), max_size=30))
def test_adjusting_keeps_order_and_never_helps(p_values: list[float]) -> None:
    found = adjusted(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, found, strict=True))
    ranked = sorted(zip(p_values, found, strict=True))
    assert [q for _, q in ranked] == sorted(found)
