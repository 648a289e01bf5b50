"""The command line with all its commands loaded."""

import typer
from typer.core import TyperGroup

from facemon.cli.command_line import app


def every_command() -> TyperGroup:
    """The commands as typer has them, groups among them."""
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    root.list_commands(typer.Context(root))
    return root
