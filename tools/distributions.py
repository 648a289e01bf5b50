"""Decides how the wheel and the source distribution are built, and what must be in them: `make build`.

They are built of a copy of the files that git does not ignore, and their times are that of the commit, so that the same
commit gives the same bytes on each machine with the same hatchling.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from release_notes import ROOT, ReleaseError, version_of

PACKAGE = "facemon/"
_DIST_INFO = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")


class Distributions(NamedTuple):
    """The paths of one build."""

    wheel: Path
    sdist: Path


def git(root: Path, *arguments: str) -> str:
    """Return what git prints in a tree; ReleaseError with its words where it fails."""
    answer = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise ReleaseError(f"git {arguments[0]}: {answer.stderr.strip()}")
    return answer.stdout


def source_files(root: Path) -> list[str]:
    """Return the files of a tree that git does not ignore, relative to it."""
    listed = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return sorted(name for name in set(listed) if name and (root / name).is_file())


def commit_time(root: Path) -> int:
    """Return when the tree's commit was made, in seconds since 1970."""
    return int(git(root, "log", "-1", "--format=%ct"))


def copy_source(root: Path, folder: Path) -> Path:
    """Copy the files that git does not ignore into a new folder, and return it."""
    for name in source_files(root):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, folder / name)
    return folder


def build(source: Path, folder: Path, epoch: int) -> Distributions:
    """Build both distributions of a source tree into a folder; ReleaseError with hatchling's words where it fails."""
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder.resolve())]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch)}
    answer = subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise ReleaseError(f"hatchling cannot build facemon: {answer.stderr.strip()}")
    version = version_of(source)
    return Distributions(folder / f"facemon-{version}-py3-none-any.whl", folder / f"facemon-{version}.tar.gz")


def unpacked_sdist(sdist: Path, folder: Path) -> Path:
    """Unpack a source distribution below a folder, and return the folder of its files."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return folder / sdist.name.removesuffix(".tar.gz")


def content_faults(distributions: Distributions, files: Iterable[str]) -> Iterator[str]:
    """What a wheel and a source distribution hold that they should not, or lack, of a tree's files.

    The wheel has each file of the package, not the modules alone, and no other. The source distribution has all files.
    """
    listed = set(files)
    name = distributions.wheel.name.removesuffix("-py3-none-any.whl")
    in_wheel = {file for file in listed if file.startswith(PACKAGE)}
    with zipfile.ZipFile(distributions.wheel) as wheel:
        yield from _differences(
            "the wheel", wheel.namelist(), in_wheel | {f"{name}.dist-info/{each}" for each in _DIST_INFO}
        )
    with tarfile.open(distributions.sdist) as sdist:
        yield from _differences(
            "the source distribution", sdist.getnames(), {f"{name}/{each}" for each in (*listed, "PKG-INFO")}
        )


def _differences(what: str, found: list[str], wanted: set[str]) -> Iterator[str]:
    yield from (f"{what} has {name} twice" for name in sorted({name for name in found if found.count(name) > 1}))
    yield from (f"{what} has {name}, which is not to be in it" for name in sorted(set(found) - wanted))
    yield from (f"{what} lacks {name}" for name in sorted(wanted - set(found)))


def main(root: Path, folder: Path) -> int:
    """Build the distributions of a working tree into a folder; return the exit status."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryDirectory() as copy:
            built = build(copy_source(root, Path(copy)), folder, commit_time(root))
    except ReleaseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(*built, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(ROOT, ROOT / "dist"))
