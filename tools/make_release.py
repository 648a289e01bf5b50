"""Decides what a release must pass, and in which order: `make release`. Nothing is uploaded and no tag is made."""

import hashlib
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bill_of_materials import write_bill_of_materials
from distributions import (
    Distributions,
    build,
    commit_time,
    content_faults,
    copy_source,
    git,
    source_files,
    unpacked_sdist,
)
from fetch_release_tools import program
from release_notes import ROOT, ReleaseError, changelog_faults, version_of
from smoke import VERSIONS, try_all
from smoke_steps import SmokeError

CHECKSUMS = "SHA256SUMS"


def state_faults(root: Path) -> Iterator[str]:
    """What keeps the tree from being released as it is: changes, its version, its changelog, a tag of that name."""
    version = version_of(root)
    changed = git(root, "status", "--porcelain").splitlines()
    if changed:
        shown = ", ".join(line[3:] for line in changed[:5]) + (", ..." if len(changed) > 5 else "")
        yield f"the tree is not clean: commit or remove {shown}"
    yield from changelog_faults((root / "CHANGELOG.md").read_text(encoding="utf-8"), version)
    if git(root, "tag", "--list", f"v{version}").strip():
        yield f"the tag v{version} is there: set the next version in facemon/version.py"


def refuse(faults: Iterator[str]) -> None:
    """Raise ReleaseError with all faults, if there is any."""
    found = list(faults)
    if found:
        raise ReleaseError(*found)


def build_reproducibly(root: Path, folder: Path) -> Distributions:
    """Build a clean tree twice in different folders, and the wheel once more from the source distribution.

    Raises ReleaseError where any two of the same name differ in a byte.
    """
    epoch = commit_time(root)
    with TemporaryDirectory() as name:
        scratch = Path(name)
        built = build(copy_source(root, scratch / "a"), folder, epoch)
        again = build(copy_source(root, scratch / "another folder"), scratch / "again", epoch)
        from_sdist = build(unpacked_sdist(built.sdist, scratch / "unpacked"), scratch / "from_sdist", epoch)
        refuse(different(built, again, "the second build"))
        refuse(different(built[:1], from_sdist, "the build from the source distribution"))
    return built


def different(first: Iterable[Path], second: Iterable[Path], what: str) -> Iterator[str]:
    """Name the files of a build that are not the same in a second one, which may have more."""
    for one, other in zip(first, second, strict=False):
        if one.read_bytes() != other.read_bytes():
            yield f"{one.name} has other bytes in {what}"


def write_checksums(folder: Path) -> None:
    """Write the SHA-256 sums of a folder's files, as `sha256sum --check` reads them."""
    files = sorted(path for path in folder.iterdir() if path.name != CHECKSUMS)
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def make_release(root: Path, pythons: Sequence[str]) -> tuple[str, Path]:
    """Check and build a release; return its version and folder, or raise ReleaseError or SmokeError.

    It is tried on the Pythons that are given, which must be there; without any, on those that are there.
    """
    version = version_of(root)
    _say(f"facemon {version}: the tree, the version, the changelog and the tag")
    refuse(state_faults(root))
    finished = root / "dist" / version
    # A release that fails half-way leaves nothing under the name of a finished one.
    folder = finished.with_name(f"{version}.part")
    for left in (finished, folder):
        shutil.rmtree(left, ignore_errors=True)
    folder.mkdir(parents=True)
    fetch = [sys.executable, str(Path(__file__).with_name("fetch_release_tools.py"))]
    if subprocess.run(fetch, check=False).returncode != 0:
        raise ReleaseError("the release tools cannot be fetched, for the reason above")
    _say("building twice, and the wheel from the source distribution: all must have the same bytes")
    built = build_reproducibly(root, folder)
    _say("the contents of the wheel and the source distribution")
    refuse(content_faults(built, source_files(root)))
    _say("twine check --strict")
    answer = subprocess.run(
        [*program("twine"), "check", "--strict", *map(str, built)], capture_output=True, text=True, check=False
    )
    if answer.returncode != 0:
        raise ReleaseError(f"twine check: {answer.stdout}{answer.stderr}")
    _say("smoke tests: installed apart, each command once")
    try_all(built, pythons or VERSIONS, version, missing_fails=bool(pythons))
    _say("the bill of materials")
    count = write_bill_of_materials(built.wheel, version, folder / f"facemon-{version}.cdx.json")
    print(f"  {count} components")
    write_checksums(folder)
    folder.rename(finished)
    return version, finished


def _say(what: str) -> None:
    print(f"== {what} ...", flush=True)


def main(root: Path, *pythons: str) -> int:
    """Make a release of a tree and say what to do with it; return the exit status."""
    try:
        version, folder = make_release(root, pythons)
    except (ReleaseError, SmokeError) as error:
        for fault in error.args:
            print(f"error: {fault}", file=sys.stderr)
        return 1
    print(f"\n{folder.relative_to(root)}:")
    print(*sorted(f"  {path.name}" for path in folder.iterdir()), sep="\n")
    if "urls" not in tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]:
        print("\nnote: the metadata name no repository: pyproject.toml has no [project.urls]")
    print("\nNothing was uploaded. Next:")
    print(f'  git tag --annotate v{version} --message "facemon {version}" && git push origin v{version}')
    print(f"  .tools/release_tools/bin/python -m twine upload {folder.relative_to(root)}/facemon-{version}[.-]*[lz]")
    return 0


if __name__ == "__main__":
    sys.exit(main(ROOT, *sys.argv[1:]))
