"""`facemon log` as its user runs it: which rows, in which order and format; the store stays as it was."""

import csv
import io
import json
import os
import pty
import shutil
import subprocess
import sys
from contextlib import chdir
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from facemon import Monitor
from tests.acceptance.small_model import write_small_model
from tests.acceptance.test_looks import state
from tests.conftest import RunFacemon
from tests.patience import HANG_S
from tests.recent_hours import hours_of_one_date

BEGIN = hours_of_one_date(3, ago=timedelta(days=3))
ROWS = 180
"""One a minute; each tenth could not be read, and one after it has no face."""


def logged_row(number: int) -> dict[str, Any]:
    error = {0: "unreadable", 1: "no_face"}.get(number % 10)
    seen = {} if error == "unreadable" else {"image_brightness": 0.4 + number % 7 / 100, "image_sharpness": 50.0}
    found = {"hair": "ab"[number % 3 == 0], "hair_confidence": 0.5 + number % 40 / 100} if error is None else {}
    return seen | found | {
        "image": f"{('gate', 'yard')[number % 2]}/{number:04}.jpg",
        "source": ("gate", "yard")[number % 2],
        "observed_at": BEGIN + timedelta(minutes=number),
        "error": error,
    }  # fmt: skip


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log, one image of which is dark, and labels of some images."""
    folder = tmp_path_factory.mktemp("logged")
    write_small_model(folder)
    rows = [logged_row(number) for number in range(ROWS)]
    rows[55]["image_brightness"] = 0.01
    with chdir(folder), Monitor("facemon.yaml") as monitor:
        monitor.log(rows)
    labels = "".join(f"{row['image']},a\n" for row in rows[:60])
    (folder / "labels.csv").write_text(f"image,hair\n{labels}nowhere.jpg,a\n")
    return folder


def images(text: str) -> list[int]:
    return [int(json.loads(line)["image"][5:9]) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ((), lambda _: True),
        (("--source", "yard"), lambda number: number % 2),
        (("--source", "yard", "--source", "gate"), lambda _: True),
        (("--where", "hair=b"), lambda number: number % 3 == 0 and number % 10 > 1),
        (("--where", "hair!=b"), lambda number: number % 3 and number % 10 > 1),
        (("--where", "hair=b", "--where", "hair=a"), lambda number: number % 10 > 1),
        (("--where", "ordinal=3", "--where", "ordinal=70"), lambda number: number in (3, 70)),
        (("--where", "hair_confidence=0.52", "--where", "hair_confidence=0.53", "--where", "hair=a"),
         lambda number: number % 40 in (2, 3) and number % 3 and number % 10 > 1),
        (("--where", "hair_confidence<=0.52"), lambda number: number % 40 <= 2 and number % 10 > 1),
        (("--where", "hair_confidence<0.53"), lambda number: number % 40 < 3 and number % 10 > 1),
        (("--where", "hair=a", "--source", "gate"), lambda number: number % 6 in (2, 4) and number % 10 > 1),
        (("--confidence-below", "0.55"), lambda number: number % 40 < 5 and number % 10 > 1),
        (("--error", "no_face"), lambda number: number % 10 == 1),
        (("--where", "error = no_face", "--where", "origin=batch"), lambda number: number % 10 == 1),
        (("--where", "source=yard", "--where", "model=small@1"), lambda number: number % 2),
        (("--failed",), lambda number: number % 10 == 0),
        (("--image", "00?7.jpg"), lambda number: number < 100 and number % 10 == 7),
        (("--image", "yard/*"), lambda number: number % 2),
        (("--since", (BEGIN + timedelta(minutes=100)).isoformat()), lambda number: number >= 100),
        (("--until", (BEGIN + timedelta(minutes=100)).isoformat()), lambda number: number < 100),
        (("--since", "60d"), lambda _: True),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)  # fmt: skip
def test_what_is_chosen(facemon: RunFacemon, logged: Path, options: tuple[str, ...], kept: Any) -> None:
    wanted = [number for number in reversed(range(ROWS)) if kept(number)]
    found = facemon("log", *options, cwd=logged)
    assert (found.returncode, images(found.stdout)) == (0, wanted[:20])
    more = len(wanted) - 20
    assert found.stderr == (f"… and {more} rows more: --limit N, or -o FILE for all\n" if more > 0 else "")
    assert images(facemon("log", *options, "--limit", "all", cwd=logged).stdout) == wanted
    assert images(facemon("log", *options, "-n", "3", cwd=logged).stdout) == wanted[:3]


def test_every_format_has_the_same_rows(facemon: RunFacemon, logged: Path, tmp_path: Path) -> None:
    for name in ("rows.jsonl", "rows.csv", "rows.parquet"):
        answer = facemon("log", "--where", "hair=b", "-o", tmp_path / name, cwd=logged)
        assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    table = pyarrow.parquet.read_table(tmp_path / "rows.parquet")
    cells = list(csv.DictReader((tmp_path / "rows.csv").open()))
    lines = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    names = table["image"].to_pylist()
    assert len(names) == sum(number % 3 == 0 and number % 10 > 1 for number in range(ROWS))
    assert names == [row["image"] for row in cells] == [row["image"] for row in lines]
    drawn = facemon("log", "--where", "hair=b", "--format", "table", "-n", "2", cwd=logged).stdout.splitlines()
    assert drawn[0].split() == ["observed", "at", "(UTC)", "image", "face", "source", "hair", "outcome"]
    assert [line.split()[2] for line in drawn[1:]] == names[:2]


def test_the_worst_by_labels(facemon: RunFacemon, logged: Path) -> None:
    wrong = [number for number in range(60) if number % 3 == 0 and number % 10 > 1]
    wanted = sorted(wrong, key=lambda number: -(number % 40))[:4]
    answer = facemon("log", "--worst", "4", "--labels", "labels.csv", "--format", "csv", cwd=logged)
    rows = list(csv.DictReader(io.StringIO(answer.stdout)))
    assert [int(row["image"][5:9]) for row in rows] == wanted
    assert {(row["worst_attribute"], row["worst_true"]) for row in rows} == {("hair", "a")}
    assert [float(row["worst_off_by"]) for row in rows] == [float(row["hair_confidence"]) for row in rows]
    assert f"{len(wrong)} of 48 predictions with a true label are wrong\n" in answer.stderr
    assert "warning: 1 label match no prediction in the log" in answer.stderr
    drawn = facemon("log", "--worst", "1", "--labels", "labels.csv", "--format", "table", cwd=logged).stdout
    assert drawn.splitlines()[1].endswith("hair is a: 89 % sure")


def test_the_most_unusual(facemon: RunFacemon, logged: Path, tmp_path: Path) -> None:
    answer = facemon("log", "--unusual", "3", cwd=logged)
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    assert (len(rows), rows[0]["image"], rows[0]["unusual"]["feature"]) == (3, "yard/0055.jpg", "image_brightness")
    assert rows[0]["unusual"]["score"] > 5 > rows[1]["unusual"]["score"]
    assert "compared with the median of these rows" in answer.stderr
    copy = shutil.copytree(logged, tmp_path / "copy")
    later = (BEGIN + timedelta(minutes=60)).isoformat()
    assert facemon("reference", "set", "--since", later, "--name", "normal", cwd=copy).returncode == 0
    answer = facemon("log", "--unusual", "1", cwd=copy)
    assert images(answer.stdout) == [55]
    assert "compared with the reference normal" in answer.stderr
    pa.parquet.write_table(pa.table({"image_brightness": [0.01] * 50, "hair": ["a"] * 50}), copy / "dark.parquet")
    assert facemon("reference", "set", "dark.parquet", "--name", "dark", cwd=copy).returncode == 0
    answer = facemon("log", "--unusual", "1", cwd=copy)
    assert images(answer.stdout) != [55]
    assert "compared with the reference dark" in answer.stderr


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--where", "hair"), 2, "--where hair: is not a condition"),
        (("--where", "hair=c"), 2, "--where hair=c: there is no c"),
        (("--where", "hare=a"), 2, "did you mean hair?"),
        (("--where", "error=noface"), 2, "did you mean no_face?"),
        (("--where", "error!=x"), 2, "there are no_face, unreadable, too_large, denied, nan"),
        (("--where", "error="), 2, "there is no empty name"),
        (("--where", "error=noface", "--model", "small@1"), 2, "--where error=noface: there is no noface"),
        (("--where", "origin=bath"), 2, "did you mean batch?"),
        (("--where", "model=other@1"), 2, "--model NAME@VERSION chooses another model's"),
        (("--where", "source=yart"), 2, "did you mean yard?"),
        (("--where", "source != nowhere"), 2, "the log has no rows of the source 'nowhere'"),
        (("--where", "hair<a"), 2, "hair is text, which only = and != compare"),
        (("--where", "hair_confidence<high"), 2, "high is not a number"),
        (("--where", "hair_confidence!=nan"), 2, "nan is not a number"),
        (("-o", ".facemon/rows.csv"), 2, "whose files must not be replaced"),
        (("--where", "observed_at=2026"), 2, "--since and --until choose by time"),
        (("--error", "noface"), 2, "did you mean no_face?"),
        (("--confidence-below", "7"), 2, "a confidence lies between 0 and 1"),
        (("--image", "[9-1]"), 2, "is not a pattern"),
        (("--limit", "0"), 2, "is not a number from 1 to"),
        (("--limit", "5", "--unusual", "5"), 2, "--limit goes with neither"),
        (("--worst", "5"), 2, "--worst needs --labels"),
        (("--worst", "5", "--labels", "labels.csv", "--unusual", "5"), 2, "are two orders"),
        (("--unusual", "0"), 2, "is not a number from 1 to"),
        (("--since", "yesterday"), 2, "--since yesterday: write a duration"),
        (("--format", "xml"), 2, "--format xml: there are table, jsonl, csv, parquet"),
        (("-o", "rows.txt"), 2, "the suffix names no format"),
        (("--model", "other@1"), 1, "it has those of small@1: choose with --model"),
        (("--image", "yard?00?7.jpg"), 0, "no row of small@1 matches"),
        (("--image", "yard[!x]00?7.jpg"), 0, "no row of small@1 matches"),
        (("--source", "gate", "--source", "nowhere"), 2, "the log has no rows of the source 'nowhere'"),
        (("--source", "nowhere", "--unusual", "5"), 2, "it has those of gate, yard"),
        (("--source", "yart"), 2, "did you mean yard?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_answered(
    facemon: RunFacemon, logged: Path, options: tuple[str, ...], code: int, said: str
) -> None:
    answer = facemon("log", *options, cwd=logged)
    assert (answer.returncode, answer.stdout) == (code, "")
    assert said in answer.stderr
    assert not (logged / "rows.txt").exists()


def test_rows_of_other_models_are_mentioned(facemon: RunFacemon, logged: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(logged, tmp_path / "copy")
    text = (copy / "facemon.yaml").read_text()
    (copy / "facemon.yaml").write_text(text.replace('version: "1"', 'version: "2"'))
    with chdir(copy), Monitor("facemon.yaml") as monitor:
        monitor.log([{"image": "new.jpg", "hair": "a"}])
    answer = facemon("log", "--format", "table", cwd=copy)
    assert len(answer.stdout.splitlines()) == 2
    assert answer.stderr == "rows of other models are not shown: small@1 (--model)\n"
    assert len(facemon("log", "--model", "small@1", cwd=copy).stdout.splitlines()) == 20


def test_a_look_at_rows_changes_nothing(facemon: RunFacemon, logged: Path) -> None:
    before = state(logged)
    for options in ((), ("--unusual", "5"), ("--worst", "5", "--labels", "labels.csv"), ("--where", "hair=none")):
        facemon("log", *options, cwd=logged)
        assert state(logged) == before


def test_on_a_terminal_it_is_a_table(logged: Path) -> None:
    parent, child = pty.openpty()
    command: list[str | Path] = [Path(sys.executable).with_name("facemon"), "log", "--failed"]
    environment = {**os.environ, "COLUMNS": "120", "TERM": "xterm"}
    with subprocess.Popen(command, cwd=logged, stdout=child, stderr=subprocess.PIPE, env=environment) as process:
        os.close(child)
        shown = b""
        while part := _read(parent):
            shown += part
        assert process.wait(HANG_S) == 0
    os.close(parent)
    assert "yard" not in shown.decode()
    assert "observed at (UTC)" in shown.decode()
    assert shown.decode().count("unreadable") == 18


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the other end is closed
        return b""
