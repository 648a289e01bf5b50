"""Decides which programs check a release, and installs them into an environment of their own, .tools/release_tools."""

import subprocess
import sys

from fetch_servers import TOOLS, Deadline, FetchError, emptied, fetch_once, put_in_place, run

RELEASE_TOOLS = TOOLS.resolve() / "release_tools"
PACKAGES = ("cyclonedx-bom[validation]==7.5.0", "twine==7.0.0")
_MODULES = ("twine", "cyclonedx_py")


def program(name: str) -> list[str]:
    """Return the command that runs one of them; the scripts of an environment know only where it was made."""
    return [str(RELEASE_TOOLS / "bin" / "python"), "-m", name]


def _is_complete() -> bool:
    return all(any(RELEASE_TOOLS.glob(f"lib/python3*/site-packages/{name}")) for name in _MODULES)


def _fetch(deadline: Deadline) -> None:
    folder = emptied(RELEASE_TOOLS.with_name("release_tools.part"))
    print(f"Installing {', '.join(PACKAGES)} ...", flush=True)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    options = ["--quiet", "--no-input", "--disable-pip-version-check"]
    answer = run([str(folder / "bin/python"), "-m", "pip", "install", *options, *PACKAGES], deadline, folder)
    if answer.returncode != 0:
        raise FetchError(f"pip install: {answer.stderr[-300:] or answer.returncode}")
    put_in_place(folder, RELEASE_TOOLS)


if __name__ == "__main__":
    sys.exit(fetch_once("release_tools", _is_complete, _fetch))
