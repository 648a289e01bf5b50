"""`make test-at` moves the clock of Python, SQLite, files and their children, and no wait."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from run_tests_at import environment_at

from tests.patience import HANG_S

AT = datetime(2028, 2, 29, 23, 58, tzinfo=UTC)
SEEN = """
import json, os, sqlite3, subprocess, sys, threading, time
from datetime import UTC, datetime
from pathlib import Path

file = Path("file")
file.touch()
stamped = file.stat().st_mtime
os.utime(file, (10**9, 10**9))
is_held = threading.Lock()
is_held.acquire()
time.sleep(0.001)
print(json.dumps({
    "time": time.time(),
    "datetime": datetime.now(UTC).timestamp(),
    "SQLite": float(sqlite3.connect(":memory:").execute("SELECT unixepoch()").fetchone()[0]),
    "file": stamped,
    "child": float(subprocess.check_output([sys.executable, "-c", "import time; print(time.time())"])),
    "set": file.stat().st_mtime,
    "waits": [is_held.acquire(timeout=0.001), threading.Event().wait(0.001)],
}))
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_the_clock_is_moved_and_waits_are_not(tmp_path: Path) -> None:
    began = datetime.now(UTC)
    answer = subprocess.run(
        [sys.executable, "-c", SEEN], cwd=tmp_path, env=os.environ | environment_at(AT), check=True,
        capture_output=True, timeout=HANG_S,
    )  # fmt: skip
    seen = json.loads(answer.stdout)
    assert seen.pop("waits") == [False, False]
    assert seen.pop("set") == 10**9
    ended = AT + (datetime.now(UTC) - began)
    second = timedelta(seconds=1)  # the offset and SQLite's time are whole seconds
    assert {what: AT - second <= datetime.fromtimestamp(at, UTC) <= ended + second for what, at in seen.items()} == (
        dict.fromkeys(seen, True)
    )
