"""Which texts are numbers, and which columns of text are numbers in another notation."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.errors import FacemonError
from facemon.tables.number_notations import foreign_numbers, number_of, refuse_foreign_numbers

LABELS = [
    "18-29", "65+", "1-2", "3 years", "2026-01-02", "01.02.2026", "31/12/2026", "12:30", "1.2.3", "192.168.1.10", "10k",
    "12 px", "5th", "#5", "1/2", "640x480", "8001 Zürich", "A4", "+49 30 123456", "no 7", "--5", "044 123 456 ext",
    "1 2", "1,2,3", "1'00", "", "-", "%", "$", "e5", "1e5e", "()", "+-5",
]  # fmt: skip
NUMBERS = {
    "1000,50": (math.nan, 1000.5),
    "1.234,56": (math.nan, 1234.56),
    "1,234.56": (1234.56, math.nan),
    "1,234": (1234, 1.234),
    "1.234": (1.234, 1234),
    "0.123": (0.123, math.nan),
    "1'000": (1000, 1000),
    "1\u2019000\u2019000": (1_000_000, 1_000_000),
    "1 000": (1000, 1000),
    "1\u00a0000\u202f000": (math.nan, math.nan),
    "1\u202f000,5": (math.nan, 1000.5),
    "3.5%": (3.5, math.nan),
    "3,5 %": (math.nan, 3.5),
    "€5": (5, 5),
    "$ -1,000.5": (-1000.5, math.nan),
    "-$5": (-5, -5),
    "12.50 CHF": (12.5, math.nan),
    "(1,234.50)": (-1234.5, math.nan),
    "\u22125": (-5, -5),
    "1,00,000": (100_000, 100_000),
    " 7 ": (7, 7),
    "1.5e-3": (0.0015, math.nan),
    "nan": (math.nan, math.nan),
    "-inf": (-math.inf, -math.inf),
}


@pytest.mark.parametrize("text", LABELS)
@pytest.mark.parametrize("decimal", [".", ","])
def test_labels_are_no_numbers(text: str, decimal: str) -> None:
    assert math.isnan(number_of(text, decimal))


@pytest.mark.parametrize(("text", "numbers"), NUMBERS.items())
def test_numbers_as_people_write_them(text: str, numbers: tuple[float, float]) -> None:
    assert [number_of(text, sign) for sign in (".", ",")] == pytest.approx(numbers, nan_ok=True)


@given(st.floats(allow_nan=False))
def test_what_python_writes_is_read_back(number: float) -> None:
    assert number_of(repr(number)) == number
    assert number_of(repr(number).replace(".", ","), ",") == number


@given(st.integers(-(10**12), 10**12), st.sampled_from(["'", " ", "\u202f", ","]), st.sampled_from(["", "%", " EUR"]))
def test_thousands_may_be_parted(number: int, mark: str, unit: str) -> None:
    assert number_of(f"{number:,}".replace(",", mark) + unit) == number


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("texts", [LABELS, [f"{at}-{at + 9}" for at in range(99)], [f"{at} years" for at in range(99)]])
def test_columns_of_labels_are_no_error(texts: list[str], decimal: str) -> None:
    refuse_foreign_numbers("a.csv", "x", dict.fromkeys(texts, 1), decimal)


@pytest.mark.parametrize(
    ("texts", "decimal", "example", "hint"),
    [
        ([f"{at},{at % 10}" for at in range(50)], ".", "0,0", 'set tables.csv.decimal: ","'),
        ([f"{at}.{at % 10}" for at in range(50)], ",", "0.0", 'set tables.csv.decimal: "."'),
        ([f"{at}.000,5" for at in range(1, 50)], ".", "1.000,5", 'set tables.csv.decimal: ","'),
        ([f"{at}.000,5" for at in range(1, 50)], ",", "1.000,5", "set tables.kinds: {x: numerical}"),
        ([f"{at}%" for at in range(50)], ".", "0%", "set tables.kinds: {x: numerical}, or categorical"),
        ([f"{at}'000" for at in range(1, 50)], ".", "1'000", "set tables.kinds: {x: numerical}"),
        ([f"{at},500" for at in range(1, 50)], ".", "1,500", "if ',' is the decimal sign; if it parts thousands"),
        ([*map(str, range(99)), "1'000"], ".", "1'000", "set tables.kinds: {x: numerical}"),
        ([*(f"{at},5" for at in range(96)), "bad", "?", "x", "-"], ".", "0,5", 'set tables.csv.decimal: ","'),
    ],
)
def test_columns_of_numbers_are_an_error_that_names_the_key(
    texts: list[str], decimal: str, example: str, hint: str
) -> None:
    with pytest.raises(FacemonError, match=r"a\.csv: column x holds numbers in another notation") as caught:
        refuse_foreign_numbers("a.csv", "x", dict.fromkeys(texts, 1), decimal)
    assert f"such as {example!r}" in caught.value.message
    assert hint in str(caught.value.hint)


def test_the_share_is_that_of_cells() -> None:
    mostly = {"1,5": 94, "2,5": 1, "bad": 5}
    assert foreign_numbers(mostly, ".") is not None
    assert foreign_numbers(mostly | {"bad": 6}, ".") is None
    assert foreign_numbers(mostly | {"": 1000}, ".") is not None
    assert foreign_numbers({"1": 50, "2.5": 50}, ".") is None
    assert foreign_numbers({}, ".") is None
