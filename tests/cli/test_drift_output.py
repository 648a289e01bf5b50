"""Which distributions and which sources the text of a drift check shows, on a terminal and in a pipe."""

import sys
from collections.abc import Mapping
from io import BytesIO, TextIOWrapper

import pytest

from facemon.cli.console import Color, Console
from facemon.cli.drift_options import ReportFormat
from facemon.cli.drift_output import Shown, print_result
from facemon.errors import ExitCode
from facemon.values.column_shape import ColumnShape
from facemon.values.drift_result import Check
from tests.reports.results import BY_SOURCE, SHAPES

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


def test_sources_stand_below_the_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    text, _ = printed(monkeypatch, Stdout(is_terminal=False), columns=80)
    lines = text.splitlines()
    sentence = lines.index("source cam 1: drift of gender (412 rows, 5,000 in the reference)")
    assert lines[sentence + 1] == ""
    assert lines[sentence + 2].split()[:3] == ["source", "check", "column"]
    assert lines[sentence + 3].split()[:4] == ["cam", "1", "model", "gender"]
    assert lines[-1] == "Mind this."
