"""What names from data can do to a terminal and to a workflow's log: nothing."""

import json
import os
import pty
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from facemon.errors import FacemonError
from facemon.printable import Lines, printable, printable_lines, without_command_lines, without_commands
from facemon.reports.printed_parts import Table
from facemon.terminal.console import Console, Verbosity
from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon

DIRECTION = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
NASTY = "a\x1b]0;owned\x07\x9b31m\u202egpj"
MISNAMED = f"no\x1b[2J{NASTY}"


def steers(character: str) -> bool:
    """By Unicode's own tables: control characters, separators of lines, surrogates, and what sets the direction."""
    return unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs") or character in DIRECTION


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_that_steers_is_left_and_all_else_is(text: str) -> None:
    for shown, kept in ((printable(text), ""), (printable_lines(text), "\n\t")):
        assert not any(steers(character) and character not in kept for character in shown)
        assert [each for each in shown if not each.isascii()] == [
            each for each in text if not each.isascii() and not steers(each)
        ]
    assert printable(printable(text)) == printable(text)


@given(st.text())
def test_in_json_what_is_escaped_is_the_same_text(text: str) -> None:
    assert json.loads(printable(json.dumps(text, ensure_ascii=False))) == text


@given(st.lists(st.sampled_from(["::", ":", "#", "##[", "error", " ", "\t", "\n", "1"])).map("".join))
def test_no_line_is_a_command(text: str) -> None:
    for line in without_command_lines(text).split("\n"):
        assert not line.lstrip(" \t").startswith("::")
        assert "##[" not in line
    assert "::" not in without_commands(text)


def on_terminal(*arguments: str, cwd: Path) -> str:
    """What the installed command writes on a terminal that is its stdin, stdout and stderr."""
    command = Path(sys.executable).with_name("facemon")
    parent, child = pty.openpty()
    with subprocess.Popen([command, *arguments], cwd=cwd, stdin=child, stdout=child, stderr=child) as process:
        os.close(child)
        written = b""
        try:
            while piece := os.read(parent, 65536):
                written += piece
        except OSError:
            pass  # so a terminal ends when its last writer has left
        process.wait()
    os.close(parent)
    return written.decode("utf-8", "replace")


@pytest.fixture
def nasty(tmp_path: Path) -> Path:
    """A folder with a model and an image of a nasty name."""
    write_small_model(tmp_path)
    Image.new("RGB", (8, 8)).save(tmp_path / f"{NASTY}.png")
    (tmp_path / MISNAMED).touch()
    (tmp_path / "labels.csv").write_text(f"image,hair\n{NASTY}.png,a\nnot {NASTY}.png,b\n")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("format_", ["table", "jsonl", "csv"])
def test_a_terminal_is_not_steered_by_names(nasty: Path, format_: str) -> None:
    shown = on_terminal("--color", "never", "predict", ".", MISNAMED, "--format", format_, cwd=nasty)
    assert "gpj" in shown
    # The table and the progress bar bring sequences of their own, which begin with ESC and [.
    ours = re.sub(r"\x1b\[\??[\d;]*[A-Zlhm]", "", shown.replace("\x1b[2J", "stolen"))
    assert [each for each in ours if steers(each) and each not in "\r\n"] == []
    assert "stolen" not in ours
    if format_ == "jsonl":
        images = [json.loads(line)["image"] for line in re.findall(r'\{"schema".*\}', ours)]
        assert images == [f"./{NASTY}.png", MISNAMED]


def test_a_pipe_gets_csv_and_json_as_they_are_and_texts_escaped(facemon: RunFacemon, nasty: Path) -> None:
    predicted = facemon("predict", f"{NASTY}.png", "--format", "jsonl", cwd=nasty)
    assert json.loads(predicted.stdout)["image"] == f"{NASTY}.png"
    assert f"{NASTY}.png" in facemon("predict", f"{NASTY}.png", "--format", "csv", cwd=nasty).stdout
    for arguments in (
        ["evaluate", "labels.csv"],
        ["evaluate", NASTY],
        ["predict", NASTY, "-o", f"/none/{NASTY}.csv"],
        ["drift-check", "--reference", NASTY],
        ["-c", NASTY, "model", "show"],
        ["render-config", "--stdout", NASTY],
        [NASTY],
    ):
        answer = facemon(*arguments, cwd=nasty)
        assert [each for each in answer.stdout + answer.stderr if steers(each) and each != "\n"] == [], arguments


FORGED = "x\nerror: forged\rb\n  hint: forged\n"
OF_FORGED = ("drift-check", "--reference", "forged.csv", "--current", "forged.csv")


def test_no_name_makes_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(Verbosity.VERBOSE)
    for tell in (console.say, console.detail, console.notice, console.warn):
        tell(f"of {FORGED}")
    console.error(FacemonError(f"of {FORGED}", f"of {FORGED}"))
    console.fault(ValueError(f"of {FORGED}"))
    console.table(Table((FORGED,), ((FORGED,),), FORGED))
    shown = capsys.readouterr()
    lines = (shown.out + shown.err).splitlines()
    assert len(lines) == 4 + 2 + 2 + 3
    assert all("x\\u000aerror: forged\\u000db" in line for line in lines if "forged" in line)
    console.error(FacemonError(Lines("one\ntwo"), Lines("three\nfour")))
    assert capsys.readouterr().err == "error: one\nerror: two\n  hint: three\nfour\n"


@pytest.fixture
def forged(nasty: Path) -> Path:
    """A folder in which images, columns, labels and a folder have names that would make lines."""
    Image.new("RGB", (8, 8)).save(nasty / f"{FORGED.strip()}.png")
    cells = ",".join(f'"{each}"' for each in (f"{FORGED}0.png", FORGED))
    (nasty / "forged.csv").write_text(f'image,hair\n"{FORGED.strip()}.png",a\n{cells}\n{cells.replace("0.", "1.")}\n')
    (nasty / FORGED).mkdir()
    return nasty


def assert_no_line_is_forged(facemon: RunFacemon, folder: Path, *arguments: str) -> None:
    answer = facemon(*arguments, cwd=folder)
    lines = (answer.stdout + answer.stderr).splitlines()
    assert not [line for line in lines if line.startswith(("error: forged", "  hint: forged"))], arguments


@pytest.mark.slow
def test_no_name_from_data_makes_a_line_of_its_own(forged: Path, facemon: RunFacemon) -> None:
    assert facemon("predict", ".", "--max-failures", "9", "--format", "table", cwd=forged).returncode == 0
    for arguments in (
        ["evaluate", "forged.csv"], ["predict", FORGED], ["predict", f"{FORGED}.png"], ["evaluate", FORGED],
        ["-c", FORGED, "model", "show"], ["store", "info"], ["init", "--model", FORGED],
        ["drift-check", "--reference", FORGED, "--current", "forged.csv"],
        [*OF_FORGED, "--check", "data", "--min-rows", "1"],
        [*OF_FORGED, "--check", "data", "--format", "markdown"],
    ):  # fmt: skip
        assert_no_line_is_forged(facemon, forged, *arguments)


@pytest.mark.slow
@pytest.mark.parametrize("options", [("--min-rows", "1"), ("--format", "markdown")])
def test_nor_does_one_that_evidently_was_given(
    forged: Path, facemon_with_evidently: RunFacemon, options: tuple[str, ...]
) -> None:
    assert_no_line_is_forged(facemon_with_evidently, forged, *OF_FORGED, *options)


def test_no_name_is_a_command_for_a_runner(facemon: RunFacemon, nasty: Path) -> None:
    facemon("predict", f"{NASTY}.png", "-q", cwd=nasty)
    name = "::error::x"
    assert facemon("reference", "set", "--since", "1d", "--name", name, cwd=nasty).returncode == 0
    for color in ("never", "always"):
        listed = facemon("--color", color, "reference", "list", cwd=nasty).stdout
        plain = re.sub(r"\x1b\[[\d;]*m", "", listed)
        assert "error: :x" in plain or "error::x" in plain
        assert not [line for line in plain.splitlines() if line.lstrip().startswith("::")]


def test_spreadsheets_get_no_formula(facemon: RunFacemon, tmp_path: Path) -> None:
    write_small_model(tmp_path)
    names = ["=cmd()", "+1", "-1", "@x", "\tx", "a=b", "\uff1dx"]
    (tmp_path / "m.jsonl").write_text("".join(json.dumps({"image": name, "image_id": "=1"}) + "\n" for name in names))
    predict = ["predict", "m.jsonl", "--max-failures", "100%", "--no-store", "--format", "csv"]
    plain = facemon(*predict, cwd=tmp_path).stdout
    safe = facemon(*predict, "--csv-safe", cwd=tmp_path).stdout
    first = [line.split(",")[2] for line in safe.splitlines()[1:]]
    assert first == ["'=cmd()", "'+1", "'-1", "'@x", "'\tx", "a=b", "'\uff1dx"]
    assert safe.count("'") - plain.count("'") == 6 + len(names)
    assert facemon(*predict[:-1], "jsonl", "--csv-safe", cwd=tmp_path).returncode == 2
    facemon("predict", "m.jsonl", "--max-failures", "100%", "-q", "-o", "rows.csv", "--csv-safe", cwd=tmp_path)
    assert "'=cmd()" in (tmp_path / "rows.csv").read_text()
