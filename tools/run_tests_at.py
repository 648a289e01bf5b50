"""Decides how tests run at another time: `python tools/run_tests_at.py "2028-02-29 23:58" tests/store -n 2`."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

LIBRARY = Path(__file__).resolve().parent.parent / ".tools" / "clock_offset.so"
SOURCE = Path(__file__).with_name("clock_offset.c")
NO_SERVERS = "not servers"
"""Real servers are programs in Go, which go by the kernel's clock."""


def built() -> Path:
    """The library that moves the clock, made again where its source is newer; CalledProcessError without a compiler."""
    if not LIBRARY.exists() or LIBRARY.stat().st_mtime < SOURCE.stat().st_mtime:
        LIBRARY.parent.mkdir(exist_ok=True)
        draft = LIBRARY.with_suffix(f".{os.getpid()}")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", draft, SOURCE, "-ldl"], check=True)
        draft.replace(LIBRARY)
    return LIBRARY


def environment_at(time: datetime) -> dict[str, str]:
    """What to add to the environment of a process, so that it takes now for `time`, and goes on from there."""
    offset = int((time - datetime.now(UTC)).total_seconds())
    return {"LD_PRELOAD": str(built()), "CLOCK_OFFSET": str(offset)}


def main(text: str, *arguments: str) -> int:
    """Run pytest at a time in UTC, with the tests and options that follow it; answer its exit code."""
    time = datetime.fromisoformat(text)
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time
    command = [sys.executable, "-m", "pytest", "-q", "-m", NO_SERVERS, *arguments]
    return subprocess.run(command, env=os.environ | environment_at(time), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
