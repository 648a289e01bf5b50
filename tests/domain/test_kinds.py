"""What each kind of attribute keeps to, so that the rooms can ask any of them alike."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from facemon.config.model import AttributeConfig
from facemon.domain.attribute import Measure
from facemon.domain.kinds.kind import TEXT, AttributeKind
from facemon.domain.kinds.reading import Reading
from facemon.domain.kinds.registry import KINDS
from facemon.domain.prediction import log_schema
from tests.domain.count_kind import Count

BANDS = {"low": (0.0, 2.0), "high": (2.0, 4.0)}
DESCRIPTIONS: dict[str, dict[str, Any]] = {
    "binary": {"kind": "binary", "labels": ["no", "yes"], "activation": "sigmoid"},
    "binary of two numbers": {"kind": "binary", "labels": ["no", "yes"], "activation": "softmax"},
    "categorical": {"kind": "categorical", "labels": ["a", "b", "c"], "activation": "softmax"},
    "ordinal": {"kind": "ordinal", "values": [0, 1, 2, 3], "bands": BANDS, "activation": "softmax"},
    "number": {"kind": "number", "scale": 2, "offset": 1},
    "number with bands": {"kind": "number", "bands": BANDS},
    "count": {"kind": "count", "values": [0, 1, 3], "activation": "softmax"},
}
Described = tuple[AttributeKind, AttributeConfig]


@pytest.fixture(params=DESCRIPTIONS)
def described(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Described:
    monkeypatch.setitem(KINDS, Count.name, Count())
    attribute = AttributeConfig.model_validate({"name": "it", "output": "o"} | DESCRIPTIONS[request.param])
    return KINDS[attribute.kind], attribute


def read(kind: AttributeKind, attribute: AttributeConfig) -> Reading:
    width = kind.widths(attribute)[0]
    return kind.reader(attribute)(np.random.default_rng(1).normal(size=(50, width)))


def test_each_kind_is_described_here() -> None:
    assert {each["kind"] for each in DESCRIPTIONS.values()} == {*KINDS, Count.name}
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
