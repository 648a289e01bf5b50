"""What cells of a column of labels mean."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from facemon.config.drift import TablesConfig
from facemon.config.model import AttributeConfig
from facemon.evaluation.truth import NO_LABEL, OUT_OF_RANGE, UNKNOWN_LABEL, Truth, read_truth


def ordinal(*edges: float) -> AttributeConfig:
    bands = {f"band{place}": pair for place, pair in enumerate(pairwise(edges))}
    values = tuple(low for low, _ in bands.values())
    return AttributeConfig(name="age", output="a", kind="ordinal", values=values, bands=bands)


GENDER = AttributeConfig(name="gender", output="g", kind="categorical", labels=("female", "male"))
HAIR = AttributeConfig(name="hair", output="h", kind="categorical", labels=("A", "a", "Bald"))
AGE = ordinal(0, 18, 81)
ADULT_AGE = ordinal(18, 40, 81)
OPEN_AGE = ordinal(0, 18, float("inf"))
YAW = ordinal(-90, 0, 90)
SIZE = AttributeConfig(name="size", output="s", kind="number")


def read(attribute: AttributeConfig, *cells: object, **tables: object) -> Truth:
    return read_truth(attribute, pa.chunked_array([pa.array(cells)]), TablesConfig.model_validate(tables))


@pytest.mark.parametrize(
    ("attribute", "cell", "code", "is_forgiven"),
    [
        (GENDER, "male", 1, False),
        (GENDER, "Male", 1, True),
        (GENDER, " male ", 1, True),
        (GENDER, "FEMALE\t", 0, True),
        (GENDER, "", NO_LABEL, False),
        (GENDER, None, NO_LABEL, False),
        (GENDER, "m", UNKNOWN_LABEL, False),
        (GENDER, "ma le", UNKNOWN_LABEL, False),
        (GENDER, 1, UNKNOWN_LABEL, False),
        # Labels that differ only by letter case are told apart, and what is neither is neither.
        (HAIR, "A", 0, False),
        (HAIR, "a", 1, False),
        (HAIR, "BALD", 2, True),
        (AGE, 17, 0, False),
        (AGE, "17", 0, False),
        (AGE, 80.9, 1, False),
        (AGE, "band1", 1, False),
        (AGE, "Band1", 1, True),
        (AGE, 81, OUT_OF_RANGE, False),
        (AGE, "85", OUT_OF_RANGE, False),
        (AGE, -1, UNKNOWN_LABEL, False),
        (AGE, "old", UNKNOWN_LABEL, False),
        (AGE, float("nan"), NO_LABEL, False),
        (AGE, float("inf"), UNKNOWN_LABEL, False),
        (ADULT_AGE, 10, OUT_OF_RANGE, False),
        (ADULT_AGE, -1, UNKNOWN_LABEL, False),
        (OPEN_AGE, 120, 1, False),
        (YAW, -45, 0, False),
        (YAW, -120, OUT_OF_RANGE, False),
        (SIZE, -3, 0, False),
        (SIZE, "big", UNKNOWN_LABEL, False),
        (SIZE, None, NO_LABEL, False),
    ],
)
def test_cells(attribute: AttributeConfig, cell: object, code: int, is_forgiven: bool) -> None:
    truth = read(attribute, cell)
    assert (truth.codes.tolist(), truth.forgiven.tolist()) == ([code], [is_forgiven])


def test_what_stands_for_a_label_is_forgiven_too() -> None:
    truth = read(GENDER, "M", "m", " F", "x", values={"gender": {"m": "male", "f": "female"}})
    assert truth.codes.tolist() == [1, 1, 0, UNKNOWN_LABEL]
    assert truth.examples(truth.forgiven, 5) == ("' F'", "M")
    assert truth.examples(truth.codes == UNKNOWN_LABEL, 5) == ("x",)


def test_a_fault_has_no_number_and_a_number_out_of_range_has() -> None:
    assert np.isnan(read(AGE, -1).numbers).all()
    assert read(AGE, 85).numbers.tolist() == [85.0]
