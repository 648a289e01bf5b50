"""Decides which store of objects the tests have besides their own: moto's server, which speaks as S3 does.

It is installed below .tools/object_stores, into an environment of its own, because it brings many packages along.
"""

import sys
from pathlib import Path

from fetch_servers import TOOLS, Deadline, FetchError, emptied, fetch_once, put_in_place, run

OBJECT_STORES = TOOLS / "object_stores"
PACKAGES = ("moto[s3]==5.2.5", "flask==3.1.3", "flask-cors==6.0.5")
"""The last two are what its server takes; moto[server] would bring those of all other services too."""


def _is_complete(folder: Path) -> bool:
    return (folder / "bin" / "python").exists() and any(folder.glob("lib/python3*/site-packages/moto/server.py"))


def _must_run(command: list[str], folder: Path, deadline: Deadline) -> None:
    answer = run(command, deadline, folder)
    if answer.returncode != 0:
        raise FetchError(f"{' '.join(command[:4])}: {answer.stderr[-300:] or answer.returncode}")


def _fetch_object_stores(deadline: Deadline) -> None:
    folder = emptied(TOOLS / "object_stores.part")
    print(f"Installing {', '.join(PACKAGES)} ...", flush=True)
    _must_run([sys.executable, "-m", "venv", str(folder)], folder, deadline)
    options = ["--quiet", "--no-input", "--disable-pip-version-check"]
    _must_run([str(folder / "bin/python"), "-m", "pip", "install", *options, *PACKAGES], folder, deadline)
    if not _is_complete(folder):
        raise FetchError("what was installed lacks moto's server")
    put_in_place(folder, OBJECT_STORES)


if __name__ == "__main__":
    sys.exit(fetch_once("object_stores", lambda: _is_complete(OBJECT_STORES), _fetch_object_stores))
