"""A decimal is the number that its digits are in any other file."""

from decimal import Decimal, localcontext

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.tables.decimal_numbers import doubles_of

TYPES = [
    pa.decimal32(9, 2), pa.decimal64(18, 6), pa.decimal128(9, 2), pa.decimal128(38, 18), pa.decimal128(38, 37),
    pa.decimal128(20, -3), pa.decimal256(60, 20),
]  # fmt: skip


@pytest.mark.parametrize("type_", TYPES, ids=str)
@given(st.data())
def test_decimals_are_the_nearest_floats(type_: pa.DataType, data: st.DataObject) -> None:
    largest = 10**type_.precision - 1
    digits = st.integers(-largest, largest) | st.integers(-min(largest, 10**7), min(largest, 10**7))
    numbers = data.draw(st.lists(st.none() | digits))
    with localcontext(prec=80):
        cells = [None if number is None else Decimal(number).scaleb(-type_.scale) for number in numbers]
        array = pa.array([None, *cells, None], type_).slice(1, len(cells))
    expected = [np.nan if cell is None else float(cell) for cell in cells]
    np.testing.assert_array_equal(doubles_of(array), expected)
