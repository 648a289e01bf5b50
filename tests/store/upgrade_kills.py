"""Run as a program: upgrades copies of a store, killed one step later each time, then upgrades what is left.

A step is an SQL statement, a change to a file, or a sync. What is wrong after a death is printed, one line each; last,
how often it died.
"""

import itertools
import os
import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from facemon.store.ledger.header import STORE_VERSION
from facemon.store.ledger.opening import open_ledger
from tests.store.crash_points import FILE_EVENTS, in_child
from tests.store.store_facts import facts


def kill_at(step: int, store: Path) -> None:
    """Let this process be killed at its n-th step on a store from here on."""
    steps = itertools.count(1)

    def tick(*_: object) -> None:
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in FILE_EVENTS and str(arguments[0]).startswith(str(store)):
            tick()

    sys.addaudithook(hook)
    sync, connect = os.fsync, sqlite3.connect

    def traced_connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.set_trace_callback(tick)
        return connection

    def killed_sync(descriptor: int) -> None:
        tick()
        sync(descriptor)

    os.fsync = killed_sync  # type: ignore[assignment]
    sqlite3.connect = traced_connect  # type: ignore[assignment]


def version_in(store: Path) -> int:
    """The version that the next process finds."""
    with closing(sqlite3.connect(store / "ledger.sqlite")) as connection:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        return version


def main(template: Path, work: Path, version: int, first: int, every: int) -> None:
    """Kill an upgrade at its `first` step and each `every`th after it.

    This process forks only, so that no thread of Arrow's is in the way.
    """
    for step in itertools.count(first, every):
        store = work / str(step)
        shutil.copytree(template, store)

        def upgraded(step: int = step, store: Path = store) -> None:
            kill_at(step, store)
            open_ledger(store).close()

        def look(step: int = step, store: Path = store) -> None:
            if (found := version_in(store)) not in (version, STORE_VERSION):
                print(f"step {step}: version {found}")
            for problem in facts(store)["problems"]:
                print(f"step {step}: {problem}")
            left = {path.name for path in store.iterdir()} - {"segments", "references", "reports", "locks"}
            if left - {"ledger.sqlite", f"ledger.v{version}.sqlite"} or version_in(store) != STORE_VERSION:
                print(f"step {step}: {sorted(left)}")

        killed = in_child(upgraded)
        if in_child(look):
            print(f"step {step}: the next command failed")
        shutil.rmtree(store)
        if killed != -signal.SIGKILL:
            print(f"killed up to step {step - every}, then ended with {killed}")
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:6]))
