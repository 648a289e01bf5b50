"""What is printed where: results on stdout, all else on stderr, colour only where a person looks."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from facemon.errors import FacemonError
from facemon.reports.printed_parts import Part, Prose, Remark, Table, Tone
from facemon.terminal.console import Color, Console, Verbosity

ROWS = (("image_brightness", "drift"), ("x", "[bold]ok[/bold]"))
PLAIN = "column            verdict\nimage_brightness  drift\nx                 [bold]ok[/bold]\n"
ESCAPE = "\x1b["


class Terminal(io.StringIO):
    """A stream that a person reads."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Callable[[Color], str]:
    """What a table looks like on a terminal that can show colours."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")

    def draw(color: Color) -> str:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", stream := Terminal())
            Console(color=color).table(Table(("column", "verdict"), ROWS, "[a title]"))
        return stream.getvalue()

    return draw


def test_a_terminal_of_unknown_width_is_a_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Serial lines and some containers set COLUMNS=0."""
    parts: list[Part] = [Table(("column", "verdict"), ROWS), Prose("These words are folded. " * 9)]
    shown = []
    for columns in ("0", "80"):
        monkeypatch.setenv("COLUMNS", columns)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", stream := Terminal())
            Console(color=Color.NEVER).show(parts)
        shown.append(stream.getvalue())
    assert shown[0] == shown[1]
    assert max(map(len, shown[0].splitlines())) <= 80


def test_results_and_the_rest_go_different_ways(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.result("result")
    console.document({"name": "été", "rows": 1})
    console.say("said")
    console.detail("not asked for")
    console.warn("careful")
    printed = capsys.readouterr()
    assert printed.out == 'result\n{"name": "été", "rows": 1}\n'
    assert printed.err == "said\nwarning: careful\n"


def test_a_report_goes_both_ways(capsys: pytest.CaptureFixture[str]) -> None:
    parts: list[Part] = [
        "first",
        Table(("a", "b"), (("1", "22"),), "title"),
        Remark("said"),
        Remark("trouble", Tone.WARN),
        "last",
    ]
    Console().show(parts)
    printed = capsys.readouterr()
    assert printed.out == "first\ntitle\na  b\n1  22\nlast\n"
    assert printed.err == "said\nwarning: trouble\n"
    Console(Verbosity.QUIET).show([*parts, Remark("read on", Tone.NOTICE)])
    assert capsys.readouterr().err == "warning: trouble\nread on\n"


def test_quiet_and_verbose(capsys: pytest.CaptureFixture[str]) -> None:
    quiet, verbose = Console(Verbosity.QUIET), Console(Verbosity.VERBOSE)
    for console in (quiet, verbose):
        console.say("said")
        console.detail("detail")
        console.warn("careful")
    assert capsys.readouterr().err == "warning: careful\nsaid\ndetail\nwarning: careful\n"
    assert (quiet.is_quiet, verbose.is_quiet) == (True, False)


def test_an_error_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    Console(Verbosity.QUIET).error(FacemonError("it failed", "do this"))
    Console().error(FacemonError("it failed"))
    assert capsys.readouterr().err == "error: it failed\n  hint: do this\nerror: it failed\n"


def test_tracebacks_only_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="odd") as caught:
        float("odd")
    Console().fault(caught.value)
    hidden = capsys.readouterr().err
    Console(show_tracebacks=True).fault(caught.value)
    shown = capsys.readouterr().err
    assert hidden.splitlines() == [
        "error: facemon failed unexpectedly: ValueError: could not convert string to float: 'odd'",
        "  hint: run the same command with --debug and report what it prints",
    ]
    assert shown.startswith("Traceback (most recent call last):\n")
    assert shown.endswith("error: facemon failed unexpectedly: ValueError: could not convert string to float: 'odd'\n")


def test_a_table_in_a_pipe_is_aligned_and_bare(capsys: pytest.CaptureFixture[str]) -> None:
    Console().table(Table(("column", "verdict"), ROWS))
    Console().table(Table(("column", "verdict"), ROWS, "The check"))
    assert capsys.readouterr().out == f"{PLAIN}The check\n{PLAIN}"


def test_an_empty_table_has_its_headings(capsys: pytest.CaptureFixture[str]) -> None:
    Console().table(Table(("column", "verdict"), ()))
    assert capsys.readouterr().out == "column  verdict\n"


def test_a_table_on_a_terminal_is_drawn_in_colour(drawn: Callable[[Color], str]) -> None:
    table = drawn(Color.AUTO)
    assert f"{ESCAPE}1;31mdrift" in table
    assert "[bold]ok[/bold]" in table
    assert "[a title]" in table
    assert "─" in table


@pytest.mark.parametrize("is_terminal", [True, False])
def test_tables_that_are_drawn_have_one_empty_line_around_them(
    monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    table = Table(("column", "verdict"), ROWS)
    noted, empty = replace(table, below=("others",)), replace(table, for_terminal=replace(table, rows=()))
    titled = replace(table, title="a title")
    parts: list[Part] = ["first", "", table, "", table, table, titled, "", "said", noted, titled, "", "last"]
    parts += ["", empty, "", table, ""]
    stream = Terminal() if is_terminal else io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    Console(color=Color.NEVER if is_terminal else Color.ALWAYS).show(parts)
    lines = [line.strip() for line in re.sub(r"\x1b\[[\d;]*m", "", stream.getvalue()).splitlines()]
    assert [place for place, pair in enumerate(pairwise(lines)) if pair == ("", "")] == []
    headings = [place for place, line in enumerate(lines) if line.startswith("column")]
    assert [lines[place - 1] for place in headings] == [""] * 7
    assert [lines[place + len(ROWS) + 2] for place in headings] == [""] * 7
    assert [lines[place - 1] for place, line in enumerate(lines) if line == "a title"] == [""] * 2


def test_no_color_takes_the_colour_away(drawn: Callable[[Color], str], monkeypatch: pytest.MonkeyPatch) -> None:
    def colours() -> list[bool]:
        return ["31m" in drawn(color) for color in (Color.AUTO, Color.ALWAYS, Color.NEVER)]

    assert colours() == [True, True, False]
    monkeypatch.setenv("NO_COLOR", "1")
    assert colours() == [False, True, False]
    monkeypatch.setenv("NO_COLOR", "")
    assert colours() == [True, True, False]


def test_always_colours_a_pipe_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    Console(color=Color.ALWAYS).table(Table(("column", "verdict"), ROWS))
    assert f"{ESCAPE}1;31mdrift" in capsys.readouterr().out


def test_json_has_no_numbers_that_are_none() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        Console().document({"score": float("nan")})


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_json_is_json_in_every_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding, errors="backslashreplace"))
    Console().document({"name": "é夏"})
    Console().flush()
    assert json.loads(raw.getvalue().decode(encoding)) == {"name": "é夏"}
    assert ("夏" in raw.getvalue().decode(encoding)) == (encoding == "utf-8")


def test_progress_is_silent_off_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Console().progress("predicting", "images") as progress:
        progress.expect(10)
        progress.advance(5)
    assert capsys.readouterr() == ("", "")


def test_progress_on_a_terminal_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", "120")
    with Console().progress("predicting", "images") as progress:
        progress.expect(10)
        progress.advance(7)
    assert "predicting" in stream.getvalue()
    assert "7/10" in stream.getvalue()
    plain = re.sub(r"\x1b\[\??[\d;]*[A-Za-z]", "", stream.getvalue())
    assert re.search(r"images/s elapsed 0:00:\d\d left (0:00:\d\d|-:--:--)", plain), "two times that look alike"
    quiet = Terminal()
    monkeypatch.setattr(sys, "stderr", quiet)
    with Console(Verbosity.QUIET).progress("predicting", "images") as progress:
        progress.advance(7)
    assert quiet.getvalue() == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")  # noqa: PTH110
def test_a_full_disk_is_told() -> None:
    script = "from facemon.terminal.console import Console; c = Console(); c.result('x'); c.flush()"
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        outcome = subprocess.run(
            [sys.executable, "-c", script], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert "FacemonError: stdout cannot be written: No space left on device" in outcome.stderr


def test_nobody_listens_on_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", buffering=1) as broken:
        monkeypatch.setattr(sys, "stderr", broken)
        Console().error(FacemonError("nobody hears this"))
        monkeypatch.undo()
        with pytest.raises(BrokenPipeError):
            broken.write("x" * 100_000)
        os.dup2(os.open(os.devnull, os.O_WRONLY), writing)
