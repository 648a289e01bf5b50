"""Starts commands that go on, such as servers, for tests that are not about how they start."""

import atexit
import os
import subprocess
import sys
from collections.abc import Mapping
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
SET_BY_IMPORTS = {
    "DO_NOT_TRACK", "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK", "LD_LIBRARY_PATH", "ORT_DISABLE_TELEMETRY",
    "RAY_USAGE_STATS_ENABLED", "_RJEM_MALLOC_CONF",
}  # fmt: skip
"""Variables that facemon, scikit-learn, OpenCV and Polars set for this process when they are imported."""
_BEFORE_IMPORTS = {name: os.environ[name] for name in SET_BY_IMPORTS if name in os.environ}
Process = subprocess.Popen[str] | ReadyProcess


def neutral_environment() -> dict[str, str]:
    """The environment without what is facemon's, pytest's or a terminal's."""
    left_out = TERMINAL_VARIABLES | SET_BY_IMPORTS
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FACEMON_", "_FACEMON_", "LC_", "PYTEST_")) and name not in left_out
    }
    return kept | _BEFORE_IMPORTS | {"LANG": "C.UTF-8"}


STARTS_ANEW = False
"""Whether each command gets an interpreter of its own; set by pytest's options."""
KNOWN: dict[str, str] = {}
"""The environment before any test, which is that of the ready interpreter."""


READ_WHILE_IT_RUNS = {"COLUMNS", "HOME", "NO_PROXY", "PATH", "no_proxy"}
_READ_WHILE_IT_RUNS_BEGIN = ("FACEMON_", "GITHUB_", "AWS_", "AZURE_", "GOOGLE_")
"""Variables that facemon and its libraries read when they are needed, and beginnings of their names."""


def start_facemon(*arguments: str, cwd: Path, anew: bool = False) -> Process:
    """Start the installed command in a folder: a fork of an interpreter that has loaded it, or a new one.

    It is a new one with `anew`, with pytest's `--anew` or `--at-length`, and where a test has set variables that are
    read while a library is loaded.
    """
    environment = neutral_environment()
    if not anew and may_be_forked(environment):
        return shared_ready().start([COMMAND, *arguments], cwd=cwd, changes=changes_of(environment))
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [COMMAND, *arguments], cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
    )


def changes_of(environment: Mapping[str, str]) -> dict[str, str | None]:
    """What a run would have otherwise than the ready interpreter."""
    names = sorted(environment.keys() | KNOWN.keys())
    return {name: environment.get(name) for name in names if environment.get(name) != KNOWN.get(name)}


def may_be_forked(environment: Mapping[str, str]) -> bool:
    """Whether a new interpreter with these variables would be as the ready one is."""
    changed = changes_of(environment)
    return not STARTS_ANEW and all(
        name in READ_WHILE_IT_RUNS or name.startswith(_READ_WHILE_IT_RUNS_BEGIN) for name in changed
    )


@cache
def shared_ready(*further: str) -> ReadyCommand:
    """The ready interpreter of this process, which ends with it; another one for those that load further modules."""
    ends = ExitStack()
    atexit.register(ends.close)
    return ends.enter_context(ready_command(KNOWN, *further))
