"""Which distributions and which sources the text of a drift check shows, on a terminal and in a pipe."""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from facemon.cli.session import Session
from facemon.domain.column_shape import ColumnShape
from facemon.domain.drift_result import Check, DriftResult, SourceResult, Verdict
from facemon.domain.explanation import Explanation
from facemon.errors import ExitCode
from facemon.reports.drift_formats import ReportFormat
from facemon.store.drift_results import record_drift
from facemon.terminal.console import Color, Console
from facemon.terminal.drift_output import Shown, print_history, print_result
from tests.reports.results import BY_SOURCE, DATA, GENDER, MODEL, SHAPES

BARS = "▆▆ ▏▄█"


class Stdout(TextIOWrapper):
    """A stream that says of itself what a terminal or a pipe would."""

    def __init__(self, *, is_terminal: bool, encoding: str = "utf-8") -> None:
        super().__init__(BytesIO(), encoding=encoding, write_through=True)
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    def text(self) -> str:
        self.seek(0)
        return self.read()


def printed(monkeypatch: pytest.MonkeyPatch, stdout: Stdout, *, columns: int) -> tuple[str, int]:
    """What is printed, and how often the distributions were asked for."""
    asked = []

    def shapes() -> Mapping[tuple[Check, str], ColumnShape]:
        asked.append(1)
        return SHAPES

    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys, "stdout", stdout)
    console = Console(color=Color.NEVER)
    shown = Shown(ReportFormat.TEXT, decided=ExitCode.FOUND, code=ExitCode.FOUND)
    print_result(console, BY_SOURCE, shown, shapes=shapes)
    return stdout.text(), len(asked)


def test_a_wide_terminal_shows_the_distributions(monkeypatch: pytest.MonkeyPatch) -> None:
    text, asked = printed(monkeypatch, Stdout(is_terminal=True), columns=200)
    assert "reference ▏current" in text
    assert BARS in text
    assert asked == 1


@pytest.mark.parametrize(
    ("stdout", "columns"),
    [
        (Stdout(is_terminal=False), 200),
        (Stdout(is_terminal=True), 80),
        (Stdout(is_terminal=True, encoding="latin-1"), 200),
    ],
)
def test_elsewhere_they_are_not_even_asked_for(monkeypatch: pytest.MonkeyPatch, stdout: Stdout, columns: int) -> None:
    text, asked = printed(monkeypatch, stdout, columns=columns)
    assert "▏" not in text
    assert asked == 0
    assert "Mind this." in text


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_sentences_are_folded_between_words_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    whole, _ = printed(monkeypatch, Stdout(is_terminal=False), columns=columns)
    folded, _ = printed(monkeypatch, Stdout(is_terminal=True), columns=columns)
    sentences = [line for line in whole.splitlines() if len(line) > columns and line.count("  ") == 0]
    assert sentences or columns == 120
    for sentence in sentences:
        assert sentence not in folded
        assert sentence in re.sub(r"\n {2}", " ", folded)
        parts = [line for line in folded.splitlines() if line.strip() and line.strip() in sentence]
        assert max(map(len, parts)) <= columns


def test_sources_stand_below_the_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    text, _ = printed(monkeypatch, Stdout(is_terminal=False), columns=80)
    lines = text.splitlines()
    sentence = lines.index("source cam 1: drift of gender (412 rows, 5,000 in the reference)")
    assert lines[sentence + 1] == ""
    assert lines[sentence + 2].split()[:3] == ["source", "check", "column"]
    assert lines[sentence + 3].split()[:4] == ["cam", "1", "model", "gender"]
    assert lines[-1] == "Mind this."


COMMANDS = ["::error::x", "  ::error::x", ":::error::x", "##[error]x", "###[error]x", f"{'long ' * 16}::error::x"]


def is_command(line: str) -> bool:
    """Whether a GitHub runner reads a command: `::` after blanks, or `##[` anywhere."""
    bare = re.sub(r"\x1b\[[0-9;]*m", "", line)
    return bare.lstrip().startswith("::") or "##[" in bare


@pytest.mark.parametrize("color", [Color.NEVER, Color.ALWAYS])
@pytest.mark.parametrize("data", COMMANDS)
def test_no_line_is_a_command_for_a_runner(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data: str, color: Color
) -> None:
    """Be it a column, a label, a source or the name of the reference; on a drawn table long cells are folded."""
    monkeypatch.setenv("COLUMNS", "80")
    column = replace(GENDER, column=data, reason=data)
    result = replace(
        BY_SOURCE,
        reference=replace(BY_SOURCE.reference, name=data),
        checks={Check.MODEL: replace(MODEL, columns=(column,))},
        sources=(SourceResult(data, Verdict.DRIFT, 9, 9, {Check.MODEL: replace(MODEL, columns=(column,))}),),
        notes=(data,),
    )
    shape = ColumnShape((data, "x"), (0.5, 0.5), (0.25, 0.75), is_ordered=False)
    shown = Shown(ReportFormat.TEXT, decided=ExitCode.FOUND, code=ExitCode.FOUND)
    explained: Sequence[Explanation] | None
    for explained in (None, [Explanation(Check.MODEL, column, shape, None, result.at, recorded=True)]):
        print_result(Console(color=color), result, shown, explained=explained)
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) > 4
        assert not [line for line in lines if is_command(line)]


def history(folder: Path, capsys: pytest.CaptureFixture[str], result: DriftResult) -> str:
    """The line of a result in the history."""
    (folder / "facemon.yaml").write_text(f"version: 1\nstore: {{path: {folder / 'store'}}}\n")
    session = Session(config_path=folder / "facemon.yaml")
    with session.operation.open_ledger(create=True) as ledger:
        record_drift(ledger, result)
    assert print_history(session.console, session.operation, ReportFormat.TEXT) is ExitCode.OK
    heading, line, *_ = capsys.readouterr().out.splitlines()
    assert heading.startswith("checked at (UTC)")
    return line


def test_the_history_names_drift_of_a_source_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quiet = replace(BY_SOURCE, checks={Check.DATA: DATA})
    assert history(tmp_path, capsys, quiet).endswith("  812   gender (cam 1)")
    nameless = replace(quiet.sources[1], source=None)
    assert history(tmp_path, capsys, replace(quiet, sources=(*quiet.sources, nameless))).endswith(
        "  gender (cam 1, (no source))"
    )
    assert history(tmp_path, capsys, replace(quiet, sources=quiet.sources * 4)).endswith("  gender (4 sources)")


def test_drift_over_all_is_named_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert history(tmp_path, capsys, BY_SOURCE).endswith("  812   gender")


def test_the_history_is_one_line_for_each_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    column = replace(GENDER, column="two\n::error::lines")
    result = replace(BY_SOURCE, checks={Check.MODEL: replace(MODEL, columns=(column,))}, sources=())
    assert history(tmp_path, capsys, result).endswith("  two : :error: :lines")
