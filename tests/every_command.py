"""The command line with all its commands loaded."""

from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

from facemon.cli.command_line import app


def every_command() -> TyperGroup:
    """The commands as typer has them, groups among them."""
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    root.list_commands(typer.Context(root))
    return root


def single_commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each command that is not a group, after the words that name it."""

    def below(group: TyperGroup, *words: str) -> Iterator[tuple[tuple[str, ...], Any]]:
        for name, command in group.commands.items():
            if isinstance(command, TyperGroup):
                yield from below(command, *words, name)
            else:
                yield (*words, name), command

    return below(every_command())
