"""The variable of each option: README says that there is one, and the page of `--help` names it. It is used."""

from collections.abc import Iterator
from enum import Enum
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from facemon.terminal.help_page import variable_of
from tests.cli.test_help import COMMANDS


def options() -> Iterator[tuple[str, Any]]:
    for words, (command, context) in COMMANDS.items():
        for option in command.get_params(context):
            if variable_of(option, context.auto_envvar_prefix):
                yield words, option


OPTIONS = {f"{words} {option.opts[0]}".strip(): (words, option) for words, option in options()}


def parsed(words: str, left_out: Any, monkeypatch: pytest.MonkeyPatch, **variables: str) -> Any:
    """The context of a command line with all that is required, but for one option, and with variables."""
    command, known = COMMANDS[words]
    line: list[str] = []
    for each in command.params:
        if each.required and each is not left_out:
            line += [each.opts[0], "x.parquet"] if each.param_type_name == "option" else ["x"]
    if isinstance(command, TyperGroup):  # which prints its help without the name of a command
        line.append(next(iter(command.list_commands(known))))
    with monkeypatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        return command.make_context(known.info_name, line, parent=known.parent, **({} if words else SETTINGS))


SETTINGS: dict[str, Any] = {"auto_envvar_prefix": "FACEMON"}


def values_of(option: Any) -> tuple[str, ...]:
    """Texts of which one is a value of the option, whatever its type, and not its default."""
    choices = [each.value for each in getattr(option.type_descriptor.annotation, "__members__", {}).values()]
    default = option.default.value if isinstance(option.default, Enum) else option.default
    return tuple(each for each in (*choices, "1", "0.5", "json", "share=0.5", "x.parquet") if each != default)


@pytest.mark.parametrize("name", OPTIONS)
def test_the_value_of_the_variable_reaches_the_command(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words, option = OPTIONS[name]
    variable = variable_of(option, COMMANDS[words][1].auto_envvar_prefix)
    assert variable is not None
    without = parsed(words, option, monkeypatch, **({variable: "1"} if option.required else {}))
    for value in values_of(option):
        try:
            found = parsed(words, option, monkeypatch, **{variable: value})
        except typer.TyperException:
            continue
        assert found.get_parameter_source(option.name).name == "ENVIRONMENT"
        assert option.required or found.params[option.name] != without.params[option.name]
        return
    pytest.fail(f"{variable} takes none of {values_of(option)}")


def test_a_variable_with_a_wrong_value_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    words, option = OPTIONS["store prune --days"]
    with pytest.raises(typer.TyperException):
        parsed(words, option, monkeypatch, FACEMON_STORE_PRUNE_DAYS="many")


def test_the_line_goes_before_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    command, known = COMMANDS["store prune"]
    monkeypatch.setenv("FACEMON_STORE_PRUNE_DAYS", "7")
    found = command.make_context("prune", ["--days", "8"], parent=known.parent)
    assert found.params["days"] == 8
