"""Runs scripts as forks of an interpreter that has loaded what they begin with, one for each user that they run as.

Loading the store costs ten times what most scripts do. A fork is a process of its own, with streams and locks of its
own, that can be killed.
"""

import atexit
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from tests import started
from tests.ready_command import ReadyCommand, ReadyProcess, connected

ROOT = Path(__file__).resolve().parents[2]
_INTERPRETER = """
import sys
from tests.store.forked_scripts import run_scripts
run_scripts(int(sys.argv[1]), sys.argv[2])
"""


class ForkedScript(ReadyProcess):
    """A script that runs; used as a subprocess.Popen is."""

    def __init__(self, streams: tuple[int, int, int, int]) -> None:
        ours_in, ours_out, ours_err, status = streams
        self.stdin = os.fdopen(ours_in, "w", encoding="utf-8")
        self.stdout = os.fdopen(ours_out, encoding="utf-8")
        super().__init__(["a script"], os.fdopen(ours_err, encoding="utf-8"), status)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Close its input, read what it prints to the end and wait for it."""
        self.stdin.close()
        with ThreadPoolExecutor(2) as pool:
            reading = [pool.submit(stream.read) for stream in (self.stdout, self.stderr)]
            try:
                out, err = (each.result(timeout) for each in reading)
            except TimeoutError:
                self.kill()
                raise subprocess.TimeoutExpired("a script", timeout or 0) from None
        self.wait(timeout)
        self.stdout.close()
        self.stderr.close()
        return out, err


def may_fork(wrapper: Sequence[str]) -> bool:
    """Whether a script under this prefix of a command may be a fork: where the prefix changes its user or rights only.

    Not with pytest's `--anew` or `--at-length`, nor while a test has set what is read while a library is loaded.
    """
    is_shared = not wrapper or wrapper[0] == "setpriv"
    return is_shared and started.may_be_forked(started.neutral_environment())


def fork(prelude: str, script: str, arguments: Sequence[str], wrapper: Sequence[str]) -> ForkedScript:
    """Run a script after the prelude, with these arguments."""
    changes = started.changes_of(os.environ)
    return ForkedScript(_ready(prelude, *wrapper).begin(["-c", script, *arguments], ROOT, changes))


@cache
def _ready(prelude: str, *wrapper: str) -> ReadyCommand:
    ends = ExitStack()
    atexit.register(ends.close)
    program = [*wrapper, sys.executable, "-c", _INTERPRETER]
    return ends.enter_context(connected(program, [prelude], cwd=ROOT, environment=started.KNOWN))


def run_scripts(descriptor: int, prelude: str) -> None:
    """Load the prelude in this process, then return once in each fork of it, when its script has run."""
    import socket

    from tests.ready_interpreter import end_at_once, follow, freeze, one_thread

    names: dict[str, object] = {"__name__": "__main__"}
    with one_thread():
        exec(prelude, names)  # noqa: S102 - it is the tests' own
    freeze()
    follow(socket.socket(fileno=descriptor))
    script = sys.argv.pop(1)
    exec(script, names)  # noqa: S102
    end_at_once(0)
