"""What each kind of attribute keeps to, so that the rooms can ask any of them alike."""

import subprocess
import sys
from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pytest

from facemon.config.drift import TablesConfig
from facemon.config.model import AttributeConfig
from facemon.domain.attribute import Activation, Attribute, Measure
from facemon.domain.kinds.kind import FLOAT, TEXT, AttributeKind
from facemon.domain.kinds.reading import Reader, Reading
from facemon.domain.kinds.registry import KINDS
from facemon.domain.prediction import log_schema
from facemon.errors import FacemonError
from facemon.evaluation.truth import UNKNOWN_LABEL, read_truth
from tests.domain.count_kind import Count

BANDS = {"low": (0.0, 2.0), "high": (2.0, 4.0)}
DESCRIPTIONS: dict[str, dict[str, Any]] = {
    "binary": {"kind": "binary", "labels": ["no", "yes"], "activation": "sigmoid"},
    "binary of two numbers": {"kind": "binary", "labels": ["no", "yes"], "activation": "softmax"},
    "categorical": {"kind": "categorical", "labels": ["a", "b", "c"], "activation": "softmax"},
    "ordinal": {"kind": "ordinal", "values": [0, 1, 2, 3], "bands": BANDS, "activation": "softmax"},
    "number": {"kind": "number", "scale": 2, "offset": 1},
    "number with bands": {"kind": "number", "bands": BANDS},
    "least": {"kind": "least"},
    "count": {"kind": "count", "values": [0, 1, 3], "activation": "softmax"},
}
Described = tuple[AttributeKind, AttributeConfig]


class Least(AttributeKind):
    """A number, with no more than a kind must say of itself."""

    name = "least"

    def columns(self, attribute: Attribute) -> Mapping[Measure, str]:
        return {Measure.VALUE: FLOAT}

    def widths(self, attribute: Attribute) -> tuple[int, ...]:
        return (1,)

    def reader(self, attribute: Attribute) -> Reader:
        return lambda columns: Reading(None, None, columns[:, 0].astype(np.float32))


@pytest.fixture(params=DESCRIPTIONS)
def described(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Described:
    for own in (Count(), Least()):
        monkeypatch.setitem(KINDS, own.name, own)
    attribute = AttributeConfig.model_validate({"name": "it", "output": "o"} | DESCRIPTIONS[request.param])
    return KINDS[attribute.kind], attribute


def read(kind: AttributeKind, attribute: AttributeConfig) -> Reading:
    width = kind.widths(attribute)[0]
    return kind.reader(attribute)(np.random.default_rng(1).normal(size=(50, width)))


def test_each_kind_is_described_here() -> None:
    assert {each["kind"] for each in DESCRIPTIONS.values()} == {*KINDS, Count.name, Least.name}
    assert all(name == kind.name for name, kind in KINDS.items())


def test_a_reading_has_the_columns_that_are_logged(described: Described) -> None:
    kind, attribute = described
    reading = read(kind, attribute)
    held = {Measure.LABEL: reading.codes, Measure.CONFIDENCE: reading.confidence, Measure.VALUE: reading.value}
    columns = kind.columns(attribute)
    assert [measure for measure, numbers in held.items() if numbers is not None] == list(columns)
    for measure, type_ in columns.items():
        numbers = held[measure]
        assert numbers is not None
        assert len(numbers) == 50
        assert type_ == (TEXT if measure is Measure.LABEL else str(numbers.dtype))
    names = [measure.column("it") for measure in columns]
    assert attribute.columns == tuple(names)
    assert log_schema([attribute]).names[-len(names) :] == names


def test_what_has_labels_logs_one_of_them(described: Described) -> None:
    kind, attribute = described
    assert bool(attribute.classes) == (Measure.LABEL in kind.columns(attribute))
    if (codes := read(kind, attribute).codes) is not None:
        assert len(set(attribute.classes)) == len(attribute.classes)
        assert set(codes.tolist()) <= set(range(len(attribute.classes)))


def test_a_label_is_the_one_that_its_value_reaches(described: Described) -> None:
    kind, attribute = described
    reading = read(kind, attribute)
    assert set(attribute.reach) <= set(attribute.classes)
    if attribute.reach and reading.codes is not None and reading.value is not None:
        for code, value in zip(reading.codes, reading.value, strict=True):
            low, high = attribute.reach[attribute.classes[code]]
            assert low <= value < high


def test_the_main_column_is_compared_first(described: Described) -> None:
    kind, attribute = described
    main, *others = kind.compared(attribute)
    assert main is (Measure.LABEL if attribute.classes else Measure.VALUE)
    assert len({main, *others}) == len(others) + 1


def test_an_average_of_one_network_reads_what_the_network_says(described: Described) -> None:
    kind, attribute = described
    width = kind.widths(attribute)[0]
    columns = np.random.default_rng(2).normal(size=(20, width))
    plain = attribute.model_copy(update={"activation": "none", "scale": 1.0, "offset": 0.0})
    alone, averaged = kind.reader(attribute)(columns), kind.reader(plain)(kind.shares(attribute, columns))
    for one, other in zip(alone, averaged, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            assert other == pytest.approx(one, abs=1e-6)


def test_rows_and_columns_can_be_shown(described: Described) -> None:
    kind, attribute = described
    cells = {Measure.LABEL: "low", Measure.CONFIDENCE: 0.5, Measure.VALUE: 3}
    row = {measure.column("it"): cells[measure] for measure in kind.columns(attribute)}
    assert kind.cell(attribute, row)
    assert all(kind.help(attribute, measure).endswith(".") for measure in kind.columns(attribute))


@pytest.mark.parametrize("activation", get_args(Activation))
def test_an_activation_is_applied_or_refused(described: Described, activation: str) -> None:
    kind, attribute = described
    given = attribute.model_copy(update={"activation": activation})
    plain = attribute.model_copy(update={"activation": "none"})
    if activation == "none" or kind.activation_fault(given) is not None:
        return
    # Probabilities, so that a kind may read them without an activation.
    width = max(2, kind.widths(given)[0]) if activation == "softmax" else kind.widths(given)[0]
    numbers = np.full((5, width), 0.1)
    numbers[:, 0] = 1 - 0.1 * (width - 1)
    other = kind.reader(plain)(numbers)
    try:
        one = kind.reader(given)(numbers)
    except FacemonError:  # what it makes of them is not what the kind reads
        return
    assert repr(one) != repr(other)


def test_a_kind_without_labels_takes_every_number_for_true_unless_it_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Positive(Least):
        def may_be_true(self, attribute: Attribute, number: float) -> bool:
            return number >= 0

    for own, expected in ((Least(), [0, 0]), (Positive(), [0, UNKNOWN_LABEL])):
        monkeypatch.setitem(KINDS, Least.name, own)
        attribute = AttributeConfig.model_validate({"name": "it", "output": "o", "kind": "least"})
        truth = read_truth(attribute, pa.chunked_array([pa.array([3.0, -1.0])]), TablesConfig())
        assert truth.codes.tolist() == expected


def test_kinds_load_nothing_heavy() -> None:
    code = (
        "import sys, facemon.domain.kinds.registry\n"
        "print(sorted({'numpy', 'pyarrow', 'pydantic', 'yaml'} & sys.modules.keys()))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"


@pytest.mark.parametrize("measure", list(Measure))
def test_the_name_of_a_column_tells_its_attribute(measure: Measure) -> None:
    for name in ("gender", "hair_confidence", "a_value", ""):
        assert measure.attribute_of(measure.column(name)) == name
    assert measure is Measure.LABEL or measure.attribute_of("gender") is None
