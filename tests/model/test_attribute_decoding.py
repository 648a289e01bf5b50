from typing import Any

import numpy as np
import pytest

from facemon.config.model import AttributeConfig
from facemon.errors import FacemonError
from facemon.model.attribute_decoding import read_attribute, select_columns


def attribute(**options: Any) -> AttributeConfig:
    return AttributeConfig.model_validate({"name": "a", "output": "o"} | options)


def test_binary_with_sigmoid_takes_the_threshold_and_the_probability_of_the_predicted_label() -> None:
    beard = attribute(kind="binary", labels=["no", "yes"], activation="sigmoid", threshold=0.7)
    reading = read_attribute(beard, np.asarray([[-3.0], [0.5], [1.0], [800.0], [-800.0]]))
    assert reading.codes is not None
    assert reading.confidence is not None
    assert reading.codes.tolist() == [0, 0, 1, 1, 0]
    sigmoid = 1 / (1 + np.exp([3.0, -0.5, -1.0]))
    expected = [1 - sigmoid[0], 1 - sigmoid[1], sigmoid[2], 1, 1]
    assert reading.confidence == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("activation", ["softmax", "none"])
def test_binary_from_two_numbers(activation: str) -> None:
    shares = np.asarray([[0.2, 0.8], [0.6, 0.4]])
    columns = np.log(shares) + 5 if activation == "softmax" else shares
    reading = read_attribute(attribute(kind="binary", labels=["no", "yes"], activation=activation), columns)
    assert reading.codes is not None
    assert reading.codes.tolist() == [1, 0]
    assert reading.confidence == pytest.approx([0.8, 0.6])


def test_a_probability_at_the_threshold_is_the_second_label() -> None:
    reading = read_attribute(
        attribute(kind="binary", labels=["no", "yes"], threshold=0.25), np.asarray([[0.25], [0.24]])
    )
    assert reading.codes is not None
    assert reading.codes.tolist() == [1, 0]


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "none"])
def test_categorical(activation: str) -> None:
    shares = np.asarray([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3]])
    columns = {"softmax": np.log(shares), "sigmoid": np.log(shares / (1 - shares)), "none": shares}[activation]
    hair = attribute(kind="categorical", labels=["blond", "brown", "red"], activation=activation)
    reading = read_attribute(hair, columns)
    assert reading.codes is not None
    assert reading.codes.tolist() == [1, 0]
    assert reading.confidence == pytest.approx([0.7, 0.5])


def test_ordinal_takes_the_band_of_the_mean_even_where_another_band_weighs_more() -> None:
    age = attribute(
        kind="ordinal", values=[0, 10, 20, 30], bands={"old": [20, 31], "child": [0, 10], "young": [10, 20]}
    )
    reading = read_attribute(
        age, np.asarray([[0.5, 0.0, 0.0, 0.5], [0.0, 0.0, 0.0, 1.0], [0.9, 0.1, 0, 0], [0, 1, 0, 0]])
    )
    assert reading.value is not None
    assert reading.codes is not None
    assert reading.value.tolist() == pytest.approx([15, 30, 1, 10])
    assert [age.classes[code] for code in reading.codes] == ["young", "old", "child", "young"]
    assert reading.confidence == pytest.approx([0.0, 1.0, 0.9, 1.0])


def test_number_is_passed_on() -> None:
    reading = read_attribute(attribute(kind="number"), np.asarray([[1.5], [-2.0]]))
    assert reading.codes is None
    assert reading.confidence is None
    assert reading.value is not None
    assert reading.value.tolist() == [1.5, -2.0]


def test_index_and_slice_read_their_part_of_a_shared_tensor() -> None:
    output = np.arange(12, dtype=np.float32).reshape(2, 6, 1, 1)
    number = attribute(kind="number", index=4)
    assert select_columns(number, output).tolist() == [[4.0], [10.0]]
    hair = attribute(kind="categorical", labels=["a", "b"], slice=[1, 3])
    assert select_columns(hair, output).tolist() == [[1.0, 2.0], [7.0, 8.0]]
    with pytest.raises(
        FacemonError, match=r"needs 2 numbers a face, but the output o of shape \[2, 6, 1, 1\] gives it 6"
    ):
        select_columns(attribute(kind="categorical", labels=["a", "b"]), output)


def test_logits_that_are_called_probabilities_are_refused() -> None:
    hair = attribute(kind="categorical", labels=["a", "b"])
    with pytest.raises(FacemonError, match=r"gives 7.5 for the attribute a, which is not a probability") as caught:
        read_attribute(hair, np.asarray([[7.5, 1.0]]))
    assert caught.value.hint == "if it holds logits, set activation: softmax"
    age = attribute(kind="ordinal", values=[0, 1], bands={"a": [0, 2]})
    with pytest.raises(FacemonError, match=r"add up to 1.5, not 1"):
        read_attribute(age, np.asarray([[0.5, 0.5], [0.75, 0.75]]))
