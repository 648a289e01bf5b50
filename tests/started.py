"""Starts commands that go on, such as servers, for tests that are not about how they start."""

import atexit
import os
import subprocess
import sys
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from tests.ready_command import ReadyCommand, ReadyProcess, ready_command

COMMAND = Path(sys.executable).with_name("facemon")
# These change what a command prints, and differ between a terminal, a pipe and a CI machine.
TERMINAL_VARIABLES = {
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "FORCE_COLOR",
    "GITHUB_ACTIONS",
    "LINES",
    "NO_COLOR",
    "PY_COLORS",
    "TERM",
    "TERMINAL_WIDTH",
    "TTY_COMPATIBLE",
    "TTY_INTERACTIVE",
}
Process = subprocess.Popen[str] | ReadyProcess


def neutral_environment() -> dict[str, str]:
    """The environment without what is facemon's, pytest's or a terminal's."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FACEMON_", "_FACEMON_", "LC_", "PYTEST_")) and name not in TERMINAL_VARIABLES
    }
    return kept | {"LANG": "C.UTF-8"}


STARTS_ANEW = False
"""Whether each command gets an interpreter of its own; set by pytest's options."""
KNOWN: dict[str, str] = {}
"""The environment before any test, which is that of the ready interpreter."""


def start_facemon(*arguments: str, cwd: Path, anew: bool = False) -> Process:
    """Start the installed command in a folder: a fork of an interpreter that has loaded it, or a new one.

    It is a new one with `anew`, with pytest's `--anew` or `--at-length`, and where a test has set variables.
    """
    if not anew and may_be_forked():
        return shared_ready().start([COMMAND, *arguments], cwd=cwd)
    pipe, environment = subprocess.PIPE, neutral_environment()
    return subprocess.Popen(
        [COMMAND, *arguments], cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
    )


def may_be_forked() -> bool:
    """Whether a new interpreter would be as the ready one is: libraries read the environment while they are loaded."""
    return not STARTS_ANEW and neutral_environment() == KNOWN


@cache
def shared_ready() -> ReadyCommand:
    """The ready interpreter of this process, which ends with it."""
    ends = ExitStack()
    atexit.register(ends.close)
    return ends.enter_context(ready_command(KNOWN))
