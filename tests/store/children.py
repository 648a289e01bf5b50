"""Pieces of Python as real processes of their own, which tests kill, race against each other and starve."""

import os
import random
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.patience import HANG_S
from tests.store.forked_scripts import ForkedScript, fork, may_fork

ROOT = Path(__file__).resolve().parents[2]
_IMPORTS = """
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from facemon.errors import FacemonError, LockedError
from facemon.store import recovery, segment_writer
from facemon.store.compaction import compact
from facemon.store.ledger.opening import open_ledger
from facemon.store.recovery import recover
from facemon.store.retention import prune
from facemon.store.runs import begin_run, finish_run, resume_run
from facemon.store.segment_writer import SegmentWriter
from facemon.store.verification import verify
from tests.store.read_windows import read_window
from tests.store.log_rows import IDENTITY, MODEL, NOON, log_images, make_batch
from tests.store.sql import sql
"""
_FOLDER = "folder = Path(sys.argv[1])\n"
PRELUDE = _IMPORTS + _FOLDER


Child = subprocess.Popen[str] | ForkedScript


def start(script: str, *arguments: object, wrapper: Sequence[str] = (), stdin: int | None = None) -> Child:
    """Start a script after the prelude; its first argument is the store's folder."""
    if may_fork(wrapper):
        return fork(_IMPORTS, _FOLDER + textwrap.dedent(script), [str(each) for each in arguments], wrapper)
    command = [*wrapper, sys.executable, "-c", PRELUDE + textwrap.dedent(script), *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: Child) -> str:
    """Wait for a script to end well; answer what it printed."""
    out, err = process.communicate(timeout=HANG_S)
    assert process.returncode == 0, f"{process.returncode}: {out}\n{err}"
    return out


def run(script: str, *arguments: object, wrapper: Sequence[str] = ()) -> str:
    """Run a script to its end; answer what it printed."""
    return finish(start(script, *arguments, wrapper=wrapper))


def steps_to_die_at(at_length: bool, *, every: int = 5) -> tuple[int, int]:
    """The first step and the distance to the next: each of them at length, else some that differ from run to run."""
    return (1, 1) if at_length else (random.SystemRandom().randint(1, every), every)


def crash_everywhere(operation: str, work: Path, *, at_length: bool, deaths: int = 3) -> int:
    """Let an operation of `crash_points` die at its steps, at length at each; answer how many it has."""
    script = "from tests.store.crash_points import main\nmain(sys.argv[2], folder, int(sys.argv[3]))"
    *faults, last = run(script, work, operation, 0 if at_length else deaths).splitlines()
    assert not faults, faults
    return int(last.removesuffix(" steps"))


def without_privileges() -> list[str]:
    """A command prefix under which permissions hold for root too; skips the test where there is none."""
    if os.geteuid() != 0:
        return []
    prefix = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
    _skip_unless([*prefix, "true"], "root ignores permissions, and setpriv cannot take that away")
    return prefix


def in_small_disk(mount: Path, mebibytes: int) -> list[str]:
    """A command prefix that mounts an empty disk of its own on a folder; skips the test where that is forbidden."""
    prefix = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "sh", "-c"]
    script = f'mount -t tmpfs -o size={mebibytes}m none "{mount}" && exec "$@"'
    command = [*prefix, script, "sh"]
    _skip_unless([*command, "true"], "this machine allows no mounts of one's own")
    return command


def _skip_unless(command: list[str], reason: str) -> None:
    try:
        outcome = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip(reason)
    if outcome.returncode:
        pytest.skip(reason)


def as_nobody(*, group: int | None = None) -> list[str]:
    """A command prefix that makes another user of root, which reads what root can, and writes what the user nobody can.

    The test is skipped where it does not run as root. With `group` the user is a member of that group alone.
    """
    if os.geteuid() != 0:
        pytest.skip("only root can be another user")
    keep = "+dac_read_search"  # so that the interpreter is found, wherever it lies
    regid = "nogroup" if group is None else str(group)
    options = ["--reuid=nobody", f"--regid={regid}", "--clear-groups", f"--inh-caps={keep}", f"--ambient-caps={keep}"]
    prefix = ["setpriv", *options, "env", "PYTHONDONTWRITEBYTECODE=1"]
    _skip_unless([*prefix, "true"], "this machine cannot run a process as nobody")
    return prefix
