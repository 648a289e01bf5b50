"""Cells of a table that are not labels of their attribute: what they could hide is never ok, and never drift."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon import Monitor
from facemon.config.drift import DriftConfig, TablesConfig
from facemon.config.model import AttributeConfig
from facemon.domain.drift_result import Verdict
from facemon.domain.profile import UNRECOGNISED, categorical_counts
from facemon.drift.counted_sample import decode_counted, encode_counted
from facemon.drift.table_sample import sampled_rows
from facemon.drift.tables import read_reference, read_sample
from facemon.errors import FacemonError
from tests.acceptance.small_model import CONFIG, small_config
from tests.conftest import RunFacemon
from tests.drift.table_files import AGE, TABLES, check, write
from tests.drift.worlds import judge, single

GENDER = AttributeConfig(name="gender", output="out", kind="binary", labels=("female", "male"))
HAIR = AttributeConfig(name="hair", output="out", kind="categorical", labels=("blond", "other"))
YAW = AttributeConfig(name="yaw", output="out", kind="number")
ROWS = 2000
THRESHOLD = DriftConfig().model.threshold


def genders(female: float, *, spelled: Callable[[str], str] = str, rows: int = ROWS) -> list[str]:
    return [spelled("female" if at < rows * female else "male") for at in range(rows)]


def ages(mean: float, unknown: int = 0) -> list[str]:
    years = np.clip(np.random.default_rng(5).normal(mean, 8, ROWS), 0, 80)
    return ["unknown" if at < unknown else f"{year:.1f}" for at, year in enumerate(years)]


def test_numbers_in_a_column_of_text_are_numbers(tmp_path: Path) -> None:
    typed, texts = (
        read_sample(
            write(tmp_path / f"{at}.parquet", {"age": cells, "yaw": cells}), attributes=[AGE, YAW], tables=TABLES
        )
        for at, cells in enumerate(([float(age) for age in ages(30)], ages(30)))
    )
    assert texts == typed
    before, after = (write(tmp_path / f"{mean}.csv", {"age": ages(mean, unknown=40)}) for mean in (20, 50))
    assert check(before, after, AGE)["age"].verdict is Verdict.DRIFT
    assert check(before, before, AGE)["age"].verdict is Verdict.OK


@pytest.mark.parametrize("spelled", [str.title, str.upper, lambda label: f" {label}\t"])
def test_letter_case_and_spaces_are_ignored_as_in_evaluate(tmp_path: Path, spelled: Callable[[str], str]) -> None:
    plain = write(tmp_path / "plain.parquet", {"gender": genders(0.5)})
    before = write(tmp_path / "before.parquet", {"gender": genders(0.5, spelled=spelled)})
    after = write(tmp_path / "after.parquet", {"gender": genders(0.5)[::2] + genders(1.0, spelled=spelled)[::2]})
    assert read_sample(before, attributes=[GENDER], tables=TABLES) == read_sample(
        plain, attributes=[GENDER], tables=TABLES
    )
    found = check(before, after, GENDER)["gender"]
    assert found.verdict is Verdict.DRIFT
    assert found.score == pytest.approx(0.25)
    assert set(sampled_rows(before, attributes=[GENDER], tables=TABLES, most=99)["gender"].to_pylist()) <= {
        "female",
        "male",
    }


@pytest.mark.parametrize(
    ("attribute", "known", "before", "after"),
    [(GENDER, "female", "Frau", "Mann"), (GENDER, "female", "t", "f"), (HAIR, "other", "brown", "gray")],
)
def test_one_unknown_class_in_place_of_another_is_undecided(
    tmp_path: Path, attribute: AttributeConfig, known: str, before: str, after: str
) -> None:
    def table(strange: str, share: float) -> Path:
        count = round(ROWS * share)
        cells = [strange] * count + [known] * (ROWS - count)
        return write(tmp_path / f"{strange}-{share}.csv", {attribute.name: cells})

    found = check(table(before, 0.06), table(after, 0.06), attribute)[attribute.name]
    assert (found.verdict, found.score) == (Verdict.UNDECIDED, 0)
    assert found.reason == (
        f"6 % of the cells in the reference and 6 % in the current data are not labels of {attribute.name}, such as "
        f"{before}, {after}: what they mean decides whether the shift reaches the threshold 0.05; say what they mean "
        f"under tables.values.{attribute.name}"
    )
    new = check(table(before, 0), table(after, 0.2), attribute)[attribute.name]
    assert (new.verdict, new.p_value) == (Verdict.UNDECIDED, None)
    assert check(table(before, 0.02), table(after, 0.02), attribute)[attribute.name].verdict is Verdict.OK
    sampled = sampled_rows(table(before, 0.5), attributes=[attribute], tables=TABLES, most=ROWS)
    assert set(sampled[attribute.name].to_pylist()) == {before, known}


shares = st.lists(st.integers(0, 40), min_size=4, max_size=4).filter(lambda parts: sum(parts) > 0)


@given(shares, shares, st.tuples(st.sampled_from(["no", "yes"]), st.sampled_from(["no", "yes"])),
       st.tuples(st.sampled_from(["no", "yes"]), st.sampled_from(["no", "yes"])))  # fmt: skip
def test_whatever_strange_cells_mean_the_verdict_holds(
    reference: list[int], current: list[int], first: Sequence[str], second: Sequence[str]
) -> None:
    """Each side has two kinds of strange cells beside its labels; any of them may be any label."""
    scale = 100_000

    def side(parts: list[int], meaning: Sequence[str]) -> tuple[dict[str, int], float]:
        told = {"no": parts[0] * scale, "yes": parts[1] * scale, UNRECOGNISED: (parts[2] + parts[3]) * scale}
        yes = parts[1] + sum(part for part, label in zip(parts[2:], meaning, strict=True) if label == "yes")
        return told, yes / sum(parts)

    (before, true_before), (after, true_after) = side(reference, first), side(current, second)
    (column,) = judge(
        single(beard=categorical_counts(before)), single(beard=categorical_counts(after)), "beard"
    ).columns
    true = abs(true_after - true_before)
    if column.verdict is Verdict.OK:
        assert true < THRESHOLD + 1e-9
    if column.verdict is Verdict.DRIFT:
        assert true > THRESHOLD - 1e-9


@pytest.mark.parametrize("attribute", [AGE, YAW])
def test_a_decimal_comma_is_named(tmp_path: Path, attribute: AttributeConfig, facemon: RunFacemon) -> None:
    name = attribute.name
    path = tmp_path / "rows.csv"
    path.write_text(f"{name};x\n" + "".join(f"{20 + at % 50},{at % 10};1\n" for at in range(500)))
    with pytest.raises(
        FacemonError, match=f"column {name} holds numbers in another notation, such as '20,0'"
    ) as raised:
        read_sample(path, attributes=[attribute], tables=TABLES)
    assert (raised.value.hint or "").startswith('set tables.csv.decimal: ","')
    comma = TablesConfig.model_validate({"csv": {"decimal": ","}})
    assert check(path, path, attribute, tables=comma)
    bands = ", bands: {young: [0, 30], old: [30, 100]}" if attribute is AGE else ""
    config = small_config(f"name: {name}, output: {name}, kind: number{bands}")
    (tmp_path / "facemon.yaml").write_text(config)
    refused = facemon("reference", "set", "rows.csv", cwd=tmp_path)
    assert refused.returncode == 1
    assert 'set tables.csv.decimal: ","' in refused.stderr


def test_text_among_the_numbers_of_an_attribute_is_undecided(tmp_path: Path) -> None:
    path = write(tmp_path / "yaw.csv", {"yaw": ages(40, unknown=40)})
    found = check(path, path, YAW)["yaw_value"]
    assert found.verdict is Verdict.UNDECIDED
    assert found.reason == (
        "it mixes numbers and text (2 % of its cells, such as unknown) in the reference; "
        "say what they mean under tables.values.yaw"
    )
    mapped = TablesConfig(values={"yaw": {"unknown": ""}})
    assert check(path, path, YAW, tables=mapped)["yaw_value"].verdict is Verdict.OK


def test_counts_keep_what_strange_cells_are(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", {"age": ages(40, unknown=40), "yaw": ages(40, unknown=40)})
    sample, layout = read_reference(path, attributes=[AGE, YAW], tables=TABLES)
    assert set(sample.strange) == {"age", "yaw_value"}
    decoded = decode_counted(encode_counted(sample, layout))
    assert decoded is not None
    assert decoded[0] == sample


def test_a_column_without_any_known_cell_names_numbers_too(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", {"age": ["unknown", "none"] * 300})
    with pytest.raises(
        FacemonError, match=r"no cell is a label of age \(young, old\) or a number; found unknown, none"
    ):
        read_sample(path, attributes=[AGE], tables=TABLES)


def test_a_column_of_an_attribute_without_any_number_names_what_it_holds(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", {"yaw": ["left", "right"] * 300, "age_confidence": ["sure", "not"] * 300})
    found = check(path, path, YAW, AGE)
    assert found["yaw_value"].reason == (
        "it holds no numbers (found left, right) in the reference; say what they mean under tables.values.yaw"
    )
    assert found["age_confidence"].reason == (
        "it holds no numbers (found sure, not) in the reference; leave cells without a number empty"
    )
    mapped = TablesConfig(values={"yaw": {"left": "-40", "right": "40"}})
    assert check(path, path, YAW, tables=mapped)["yaw_value"].verdict is Verdict.OK


def test_commands_and_monitor_name_strange_cells(tmp_path: Path, facemon: RunFacemon) -> None:
    (tmp_path / "facemon.yaml").write_text(CONFIG)
    pa.parquet.write_table(pa.table({"hair": ["a", "b"] * 300}), tmp_path / "known.parquet")
    pa.parquet.write_table(pa.table({"hair": ["a", "B", "a", "curly"] * 150}), tmp_path / "strange.parquet")
    done = facemon("reference", "set", "strange.parquet", cwd=tmp_path)
    assert done.returncode == 0
    said = "hair: 25 % of its cells are not labels, such as curly; say what they mean under tables.values.hair"
    assert said in done.stderr
    looked = facemon("drift-check", "--check", "model", "--current", "strange.parquet", cwd=tmp_path)
    assert looked.returncode == 4
    assert "25 % of the cells in the reference and 25 % in the current data are not labels of hair" in looked.stdout
    frame = pd.DataFrame({"hair": ["a", "b", "a", 7] * 150})
    with Monitor(tmp_path / "facemon.yaml") as monitor:
        monitor.set_reference(pa.table({"hair": ["a", "b"] * 300}), name="known")
        result = monitor.check(frame, checks="model")
        small = monitor.check(pd.DataFrame({"hair": ["a", "b"] * 299 + ["a", 7]}), checks="model")
    assert result.verdict is Verdict.UNDECIDED
    assert small.notes[0].startswith("hair: 0.17 % of the cells in the current data are not labels of hair, such as 7;")
