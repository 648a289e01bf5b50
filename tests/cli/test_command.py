"""The common options: before or after a command's name, between a group and its command, from variables."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer

from facemon.cli.command import COMMON, ConfigOption, QuietOption, command, group, remember
from facemon.cli.session import Session
from facemon.errors import ExitCode, OutputClosed, UsageError
from facemon.terminal.console import Color, Verbosity

Call = Callable[..., tuple[Session, dict[str, Any]]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Call:
    """Runs a command line of an app of two commands, `do` and `care look`; answers what the command was given."""
    app = typer.Typer(context_settings={"auto_envvar_prefix": "FACEMON"})
    seen: list[tuple[Session, dict[str, Any]]] = []

    @app.callback()
    def root(ctx: typer.Context, config: ConfigOption = None, quiet: QuietOption = None) -> None:
        remember(ctx, dict.fromkeys(COMMON) | {"config": config, "quiet": quiet})

    @command(app, "do")
    def do(session: Session, name: Annotated[str, typer.Option()] = "none", count: int = 1) -> ExitCode:
        """Do it."""
        seen.append((session, {"name": name, "count": count}))
        return ExitCode.FOUND

    @command(group(app, "care", "Look after it."), "look")
    def look(session: Session) -> ExitCode:
        seen.append((session, {}))
        return ExitCode.OK

    def run(*arguments: str) -> tuple[Session, dict[str, Any]]:
        code = app(list(arguments), standalone_mode=False, obj={})
        assert code == (ExitCode.FOUND if "do" in arguments else ExitCode.OK)
        return seen[-1]

    return run


@pytest.mark.parametrize("line", ["-q do", "do -q", "-q do -q", "-q care look", "care -q look", "care look -q"])
def test_options_stand_anywhere(call: Call, line: str) -> None:
    assert call(*line.split())[0].console.verbosity is Verbosity.QUIET


def test_without_options_there_are_defaults(call: Call) -> None:
    session, values = call("do")
    assert session.console.verbosity is Verbosity.NORMAL
    assert (session.console.color, session.console.show_tracebacks) == (Color.AUTO, False)
    assert (session.config_path, values) == (None, {"name": "none", "count": 1})


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("-c a.yaml do", "a.yaml"), ("do -c a.yaml", "a.yaml"), ("-c a.yaml do --config b.yaml", "b.yaml"),
        ("-c a.yaml care look", "a.yaml"), ("care -c a.yaml look", "a.yaml"), ("care look -c a.yaml", "a.yaml"),
        ("-c a.yaml care -c b.yaml look", "b.yaml"), ("-c a.yaml care -c b.yaml look -c c.yaml", "c.yaml"),
    ],
)  # fmt: skip
def test_the_last_configuration_counts(call: Call, line: str, path: str) -> None:
    assert call(*line.split())[0].config_path == Path(path)


def test_all_of_them_after_the_name(call: Call) -> None:
    session, _ = call("care", "look", "-v", "--debug", "--color", "never")
    console = session.console
    assert (console.verbosity, console.color, console.show_tracebacks) == (Verbosity.VERBOSE, Color.NEVER, True)


def test_variables_go_behind_flags(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEMON_CONFIG", "variable.yaml")
    assert call("do")[0].config_path == Path("variable.yaml")
    assert call("do", "-c", "flag.yaml")[0].config_path == Path("flag.yaml")
    assert call("-c", "flag.yaml", "do")[0].config_path == Path("flag.yaml")
    monkeypatch.setenv("FACEMON_DO_COUNT", "7")
    assert call("do")[1]["count"] == 7
    assert call("do", "--count", "3")[1]["count"] == 3


def test_a_name_that_is_no_text_is_refused(call: Call) -> None:
    with pytest.raises(UsageError, match=r"name caf\\xe9: is not UTF-8"):
        call("do", "--name", b"caf\xe9".decode("utf-8", "surrogateescape"))
    assert call("do", "--name", "é夏🙂")[1]["name"] == "é夏🙂"


def test_a_reader_that_leaves_is_named() -> None:
    app = typer.Typer()

    @command(app, "fail")
    def fail(session: Session) -> ExitCode:
        raise BrokenPipeError

    with pytest.raises(OutputClosed):
        app([], standalone_mode=False, obj={})
