import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.config.drift import EvidentlyConfig
from facemon.domain.drift_result import Verdict
from facemon.drift.evidently_report import run_evidently, tagless
from facemon.errors import ConfigError
from tests.drift.worlds import binary

AT = datetime(2026, 11, 23, 2, tzinfo=UTC)


def rows(shift: float, size: int) -> dict[str, object]:
    rng = np.random.default_rng(71 + size)
    return {
        "image": [f"{at}.jpg" for at in range(size)],
        "image_brightness": rng.normal(100 + 40 * shift, 20, size),
        "beard": np.where(rng.random(size) < 0.3 + 0.4 * shift, "yes", "no"),
        "sunny": rng.random(size) < 0.5,
        "width": np.where(rng.random(size) < 0.01, np.inf, rng.normal(0, 1, size)),
        "person": [f"person {at}" for at in range(size)],
    }


@pytest.mark.slow
def test_a_real_report(tmp_path: Path) -> None:
    reference = pa.table(rows(0, 3000) | {"gone": np.zeros(3000), "null": np.zeros(3000)})
    current = pa.table(rows(1, 1000) | {"new": np.zeros(1000), "null": pa.nulls(1000, pa.float64())})
    folder = tmp_path / "reports"
    outcome, html = run_evidently(
        reference.set_column(2, "beard", reference["beard"].dictionary_encode()),
        current,
        settings=EvidentlyConfig(max_rows=2000),
        attributes=[binary("beard")],
        folder=folder,
        at=AT,
        preface="<p>our own verdicts</p>",
    )
    found = {column.column: column for column in outcome.columns}
    assert {name: column.verdict.value for name, column in found.items()} == {
        "beard": "drift",
        "image_brightness": "drift",
        "sunny": "ok",
        "width": "ok",
        "gone": "undecided",
        "null": "undecided",
        "new": "not_compared",
        "person": "not_compared",
    }
    assert outcome.verdict is Verdict.DRIFT
    assert html is not None
    assert re.search(r"<body[^>]*><p>our own verdicts</p>", html.read_text())
    assert (found["beard"].method, found["beard"].n_reference, found["beard"].threshold) == ("jensenshannon", 2000, 0.1)
    assert found["beard"].test == "Evidently's distance: high is drift"
    assert found["image_brightness"].score == pytest.approx(2, abs=0.2)
    assert html == folder / "evidently-20261123T020000Z.html"
    text = html.read_text()
    assert sorted(path.name for path in folder.iterdir()) == sorted([html.name, html.with_suffix(".json").name])
    assert not re.search(r"<(script|link)[^>]+(src|href)=[\"']?https?:", text)
    assert "image_brightness" in text
    assert json.loads(html.with_suffix(".json").read_text())["metrics"]


SCRIPT = "</script><script>alert(1)</script>"


@pytest.mark.slow
def test_names_and_labels_run_nothing_on_the_page(tmp_path: Path) -> None:
    def table(shift: float) -> pa.Table:
        rng = np.random.default_rng(72)
        labels = np.where(rng.random(600) < 0.3 + shift, SCRIPT, SCRIPT.replace("<", "‹"))  # noqa: RUF001
        return pa.table({SCRIPT: labels, "<!--": rng.normal(0, 1, 600), "beard": labels, "plain": [1.0, 2.0] * 300})

    outcome, html = run_evidently(
        table(0), table(0.4), settings=EvidentlyConfig(), attributes=[binary("beard")], folder=tmp_path, at=AT
    )
    assert {column.column: column.verdict for column in outcome.columns} == {
        "beard": Verdict.DRIFT, SCRIPT: Verdict.DRIFT, "<!--": Verdict.OK, "plain": Verdict.OK,
    }  # fmt: skip
    assert html is not None
    text = html.read_text()
    assert "alert(1)" in text
    assert "<script>alert" not in text
    assert "<!--" not in text.replace("<!-- no embedded lib -->", "")


@given(st.lists(st.text("<‹'a", max_size=4)))  # noqa: RUF001
def test_texts_without_tags_are_as_distinct_as_before(texts: list[str]) -> None:
    found = tagless(texts)
    assert set(found) == set(texts)
    assert len(set(found.values())) == len(found)
    assert not any("<" in stand_in for stand_in in found.values())
    assert all(found[text] == text for text in texts if "<" not in text)


def test_a_text_keeps_its_look() -> None:
    assert tagless(["<b>", "‹b>", "a & b"]) == {"<b>": "‹b>'", "‹b>": "‹b>", "a & b": "a & b"}  # noqa: RUF001


def test_a_method_that_evidently_lacks_is_a_configuration_error(tmp_path: Path) -> None:
    table = pa.table({"beard": ["yes", "no"]})
    for methods, near in (({"numerical": "wassertein"}, "wasserstein"), ({"categorical": "ks"}, "it has|It has")):
        settings = EvidentlyConfig.model_validate({"methods": methods})
        with pytest.raises(ConfigError, match="Evidently has no") as caught:
            run_evidently(table, table, settings=settings, attributes=[], folder=tmp_path, at=AT)
        assert re.search(near, str(caught.value.hint))


def test_nothing_to_compare_needs_no_evidently(tmp_path: Path) -> None:
    outcome, html = run_evidently(
        pa.table({"a": pa.nulls(3)}),
        pa.table({"a": pa.nulls(3)}),
        settings=EvidentlyConfig(),
        attributes=[],
        folder=tmp_path,
        at=AT,
    )
    assert (outcome.verdict, html) == (Verdict.UNDECIDED, None)
    assert (outcome.columns[0].verdict, outcome.columns[0].reason) == (Verdict.NOT_COMPARED, "no value on either side")


def test_ignored_columns_are_listed_and_not_compared(tmp_path: Path) -> None:
    table = pa.table({"row": range(30)})
    outcome, html = run_evidently(
        table, table, settings=EvidentlyConfig(), attributes=[], folder=tmp_path, at=AT, ignored={"row", "other"}
    )
    assert html is None
    assert [(column.column, column.verdict, column.reason) for column in outcome.columns] == [
        ("row", Verdict.NOT_COMPARED, "ignored by tables.kinds")
    ]


def test_our_own_checks_load_neither_pandas_nor_evidently() -> None:
    code = (
        "import sys, facemon.drift.drift_check, facemon.drift.tables, facemon.drift.table_sample, "
        "facemon.drift.evidently_report\n"
        "print(sorted({'pandas', 'evidently', 'scipy.stats'} & set(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
