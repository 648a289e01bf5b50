"""Decides where an installed facemon is tried, and how apart from the source tree: `make smoke`.

Each Python gets a new environment, whose files cannot be written while commands run; each distribution an empty home.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from release_notes import ROOT, ReleaseError, version_of
from smoke_steps import Installation, SmokeError, check, run_steps

VERSIONS = ("3.11", "3.12", "3.13")
EXTRAS = "age-gender,serve"
_WITHOUT_POWER = ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-all")
"""Begins a command of root's, so that permissions hold for it as for other users."""
_LEFT_OUT = ("FACEMON_", "PYTHON", "PIP_", "VIRTUAL_ENV", "XDG_")
"""Beginnings of the variables that could lead to another installation or configuration."""


def find_python(version: str) -> Path | None:
    """Return an interpreter of a version: the running one, the one on PATH, or one that pyenv has installed."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return Path(sys.executable).resolve()
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    on_path = shutil.which(f"python{version}")
    candidates = [] if on_path is None else [Path(on_path)]
    candidates += sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"))
    return next(filter(None, (_resolved(path, version) for path in candidates)), None)


def _resolved(path: Path, version: str) -> Path | None:
    # On PATH there may be a script of pyenv, which runs nothing unless a version is chosen.
    code = "import sys; print(*sys.version_info[:2], sep='.'); print(sys.executable)"
    answer = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
    said = answer.stdout.splitlines()
    return Path(said[1]).resolve() if answer.returncode == 0 and said[:1] == [version] else None


def new_environment(python: Path, folder: Path) -> Path:
    """Make an environment without pip, which facemon must not need; return the folder of its programs."""
    _must_run([str(python), "-m", "venv", "--without-pip", str(folder)])
    return folder / "bin"


def install(distribution: Path, programs: Path, *options: str) -> None:
    """Install a distribution with the locked versions of its dependencies into an environment."""
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install"]
    quiet = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-compile"]
    locked = ["--constraint", str(ROOT / "constraints.txt"), f"{distribution}[{EXTRAS}]"]
    _must_run([*pip, *quiet, *options, *locked])


def try_installed(programs: Path, folder: Path, version: str) -> Iterator[str]:
    """Run the steps with an installation whose files cannot be written; yield what has been done."""
    home, work, compiled = (folder / name for name in ("home", "work", "compiled"))
    for made in (home, work, compiled):
        made.mkdir()
    environment = {name: text for name, text in os.environ.items() if not name.startswith(_LEFT_OUT)}
    environment |= {"HOME": str(home), "TMPDIR": str(work), "LANG": "C.UTF-8"}
    # Most of what Evidently brings along is never imported: what is, is compiled once, outside of the installation.
    environment["PYTHONPYCACHEPREFIX"] = str(compiled)
    _take_away_writing(programs.parent)
    installed = Installation(programs, work, environment, _WITHOUT_POWER if os.geteuid() == 0 else ())
    before = _state(programs.parent)
    writing = "import pathlib, sys; (pathlib.Path(sys.prefix) / 'written').touch()"
    installed.run("-c", writing, expect=1, program="python")
    where = installed.run("-c", "import facemon; print(facemon.__file__)", program="python").strip()
    check(Path(where).is_relative_to(programs.parent), f"facemon is imported from {where}")
    yield from run_steps(installed, version)
    check(_state(programs.parent) == before, "a command has written to the folder of the installation")
    yield "nothing was written to the installation"


def _must_run(command: list[str]) -> None:
    answer = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise SmokeError(f"{' '.join(command[:4])} ...: {answer.stderr[-1000:]}")


def _files(folder: Path) -> Iterator[Path]:
    for base, _, names in os.walk(folder):
        yield Path(base)
        yield from (Path(base, name) for name in names)


def _take_away_writing(folder: Path) -> None:
    for path in _files(folder):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)


def _give_back_writing(folder: Path) -> None:
    for path in _files(folder):
        if path.is_dir():
            path.chmod(path.stat().st_mode | 0o200)


def _state(folder: Path) -> list[tuple[Path, int, int]]:
    found = ((path, path.lstat()) for path in _files(folder))
    return sorted((path, status.st_size, status.st_mtime_ns) for path, status in found)


def try_on(python: Path, distributions: Sequence[Path], version: str) -> None:
    """Install and use each distribution, with a line for each step; SmokeError at the first fault.

    Dependencies take most of the time and are the same for all, so they are installed with the first one only.
    """
    with TemporaryDirectory(prefix="facemon-smoke-") as name:
        programs = new_environment(python, Path(name) / "environment")
        options: tuple[str, ...] = ()
        for number, distribution in enumerate(distributions):
            print(f"  installing {distribution.name}", flush=True)
            install(distribution, programs, *options)
            options = ("--no-deps", "--force-reinstall")
            apart = Path(name) / str(number)
            apart.mkdir()
            try:
                for step in try_installed(programs, apart, version):
                    print(f"  {step}", flush=True)
            finally:
                _give_back_writing(programs.parent)


def try_all(distributions: Sequence[Path], versions: Sequence[str], version: str, *, missing_fails: bool) -> None:
    """Try each distribution on each Python; where one is missing, say so, or raise SmokeError with `missing_fails`."""
    left_out = []
    for number in versions:
        python = find_python(number)
        if python is None:
            check(not missing_fails, f"there is no python{number} on this machine")
            left_out.append(number)
            continue
        print(f"Python {number} ({python}):", flush=True)
        try_on(python, distributions, version)
    check(len(left_out) < len(versions), "no Python to try them on")
    for number in left_out:
        print(f"NOT RUN on Python {number}, which is not on this machine")


def main(arguments: Sequence[str]) -> int:
    """Try the distributions of a folder; return the exit status."""
    parser = argparse.ArgumentParser(description="Install and use the wheel and the source distribution.")
    parser.add_argument("folder", type=Path, help="Where both are.")
    parser.add_argument("--python", action="append", metavar="VERSION", help="Only this one, and it must be there.")
    given = parser.parse_args(arguments)
    try:
        version = version_of(ROOT)
        found = sorted(given.folder.resolve().glob(f"facemon-{version}[-.]*[lz]"))
        check(
            len(found) == 2, f"{given.folder} does not hold a wheel and a source distribution of {version}: make build"
        )
        try_all(found, given.python or VERSIONS, version, missing_fails=bool(given.python))
    except (SmokeError, ReleaseError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
