import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.life.between_scrapes import quiet_moment

INTERVAL_S = 0.5
scrapes = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 0.05)), min_size=1, max_size=6)


def is_scraped(at: float, begins: float, lasts: float) -> bool:
    return (at - begins) % INTERVAL_S < lasts


@given(scrapes)
def test_nothing_is_scraped_in_a_quiet_moment(made: list[tuple[float, float]]) -> None:
    # Six scrapes of a twentieth leave two fifths of the interval.
    moment = quiet_moment(made, INTERVAL_S)
    assert 0 <= moment < INTERVAL_S
    assert not any(is_scraped(moment, begins, lasts) for begins, lasts in made)


@pytest.mark.parametrize(
    ("made", "moment"),
    [([(0.1, 0.1)], 0.4), ([(10.4, 0.2)], 0.25), ([(0.0, 0.1), (0.3, 0.1)], 0.2), ([], 0.0)],
)
def test_it_is_the_middle_of_the_longest_gap(made: list[tuple[float, float]], moment: float) -> None:
    assert quiet_moment(made, INTERVAL_S) == pytest.approx(moment)
