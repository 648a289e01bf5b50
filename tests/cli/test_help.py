"""`--help` of every command: examples that are valid, options without type names, variables that work, exit codes."""

import re
import shlex
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from facemon.terminal.help_examples import EXAMPLES
from facemon.terminal.help_page import help_page, variable_of
from tests.conftest import RunFacemon
from tests.every_command import every_command

SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "FACEMON"}


def with_contexts() -> dict[str, tuple[Any, Any]]:
    """Every command and group with its context, by its words."""
    root = every_command()
    found: dict[str, tuple[Any, Any]] = {}

    def enter(command: Any, words: tuple[str, ...], parent: Any) -> None:
        settings: dict[str, Any] = SETTINGS if parent is None else {}
        context = typer.Context(command, parent=parent, info_name=words[-1] if words else "facemon", **settings)
        found[" ".join(words)] = command, context
        if isinstance(command, TyperGroup):
            for name in command.list_commands(context):
                enter(command.get_command(context, name), (*words, name), context)

    enter(root, (), None)
    return found


COMMANDS = with_contexts()


def test_every_command_has_examples() -> None:
    assert EXAMPLES.keys() == COMMANDS.keys()


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize("columns", [40, 80, 120])
def test_the_page(words: str, columns: int) -> None:
    command, context = COMMANDS[words]
    page = help_page(command, context, columns)
    lines = page.splitlines()
    assert page.index("\nExamples:\n  facemon ") < page.index("\nOptions:\n") < page.index("\nExit codes:\n")
    assert page[page.index("\nExit codes:") :].count("\n\n") == 0
    assert "<" not in page.replace("'age<18'", "").replace("<command>", "")
    if columns >= 80:
        # An example and the choices of an option are not broken.
        assert [line for line in lines if len(line) > columns and not line.startswith("  facemon ")] == []
    for option in command.get_params(context):
        if option.param_type_name == "option":
            assert all(name in page for name in option.opts)
            assert (variable_of(option, context.auto_envvar_prefix) or "") in page


@pytest.mark.parametrize("words", COMMANDS)
def test_usage_names_arguments_as_pages_of_the_field_do(words: str) -> None:
    """`PATHS...` is required, `[NAME]` is not; there are no braces and no brackets within brackets."""
    command, context = COMMANDS[words]
    usage = help_page(command, context, 120).splitlines()[0]
    assert re.fullmatch(r"Usage: facemon[a-z -]*( \[?[A-Z]+\]?(\.\.\.)?)*", usage), usage


@pytest.mark.parametrize("words", COMMANDS)
def test_examples_name_options_that_are_there(words: str) -> None:
    for line in EXAMPLES[words]:
        given = shlex.split(line)[1:]
        known = max((each for each in COMMANDS if given[: len(each.split())] == each.split()), key=len)
        assert known.startswith(words)
        options = {name for each in COMMANDS[known][0].params for name in each.opts}
        assert {word for word in given if word.startswith("-") and word != "-"} <= options, line


def test_the_same_option_has_the_same_variable_everywhere() -> None:
    for words, (command, context) in COMMANDS.items():
        for option in command.params:
            if found := variable_of(option, context.auto_envvar_prefix):
                name = next(each for each in option.opts if each.startswith("--"))[2:]
                expected = "_".join(["facemon", *words.split(), name]).replace("-", "_").upper()
                assert found == expected, (words, name)


def test_the_variable_of_format_is_read(facemon: RunFacemon, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    answer = facemon("explain", "DriftDetected", cwd=tmp_path, env={"FACEMON_EXPLAIN_FORMAT": "json"})
    assert answer.stdout.startswith("{"), answer.stderr
