"""Decides what the changelog must say of a release, and dates it: `make release-notes`."""

import re
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
UNRELEASED = "Unreleased"
_HEADING = re.compile(r"^## \[(?P<name>[^\]]*)\](?P<rest>.*)$", re.MULTILINE)
_VERSION = re.compile(r'^__version__ = "(.*)"$', re.MULTILINE)
# Pre-releases are not in use: tools and documentation would have to tell them apart.
_FINAL = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_DATE = re.compile(r" - (\d{4}-\d{2}-\d{2})")


class ReleaseError(Exception):
    """What keeps a version from being released, one fault in each argument, and what to do."""


class Section(NamedTuple):
    """A section of the changelog: what follows the version in its heading, and its text."""

    rest: str
    text: str

    def is_empty(self) -> bool:
        """Whether it lists no change; headings such as "### Added" are none."""
        return all(not line.strip() or line.startswith("#") for line in self.text.splitlines())


def version_of(root: Path) -> str:
    """Return the version that a source tree says it is; ReleaseError where it is not MAJOR.MINOR.PATCH."""
    found = _VERSION.search((root / "facemon" / "version.py").read_text(encoding="utf-8"))
    version = found[1] if found else ""
    if not _FINAL.fullmatch(version):
        raise ReleaseError(f'facemon/version.py has the version "{version}": write MAJOR.MINOR.PATCH')
    return version


def sections_of(changelog: str) -> list[tuple[str, Section]]:
    """Return the sections in their order, each with the name in its heading."""
    found = list(_HEADING.finditer(changelog))
    ends = [heading.start() for heading in found[1:]] + [len(changelog)]
    return [
        (heading["name"], Section(heading["rest"], changelog[heading.end() : end]))
        for heading, end in zip(found, ends, strict=True)
    ]


def dated(changelog: str, version: str, day: date) -> str:
    """Return the changelog with its unreleased changes as those of a version, and none unreleased.

    Raises ReleaseError where there is nothing unreleased, or the version has a section.
    """
    sections = dict(sections_of(changelog))
    if version in sections:
        raise ReleaseError(f"CHANGELOG.md has a section [{version}]: set the next version in facemon/version.py")
    if UNRELEASED not in sections or sections[UNRELEASED].is_empty():
        raise ReleaseError(f"CHANGELOG.md lists no change below [{UNRELEASED}]: there is nothing to release")
    heading = f"## [{UNRELEASED}]"
    return changelog.replace(heading, f"{heading}\n\n## [{version}] - {day.isoformat()}", 1)


def changelog_faults(changelog: str, version: str) -> Iterator[str]:
    """What keeps a changelog from being that of a release of the version."""
    sections = dict(sections_of(changelog))
    if not (UNRELEASED in sections and sections[UNRELEASED].is_empty()):
        yield f"CHANGELOG.md needs a section [{UNRELEASED}] without changes: run make release-notes"
    section = sections.get(version)
    if section is None:
        yield f"CHANGELOG.md has no section [{version}]: run make release-notes"
        return
    if section.is_empty():
        yield f"CHANGELOG.md lists no change of [{version}]"
    if not _is_date(section.rest):
        yield f'CHANGELOG.md has the heading "## [{version}]{section.rest}": write "## [{version}] - YYYY-MM-DD"'
    names = [name for name, _ in sections_of(changelog)]
    if names[:2] != [UNRELEASED, version]:
        yield f"CHANGELOG.md begins with [{'], ['.join(names[:2])}]: [{UNRELEASED}] and [{version}] must be its first"
    if len(names) != len(set(names)):
        yield "CHANGELOG.md has two sections of one version"


def _is_date(rest: str) -> bool:
    found = _DATE.fullmatch(rest)
    try:
        return found is not None and bool(date.fromisoformat(found[1]))
    except ValueError:
        return False


def main(root: Path, *days: str) -> int:
    """Date the changelog of a tree, today in UTC unless a day is given; return the exit status."""
    path = root / "CHANGELOG.md"
    try:
        version = version_of(root)
        day = date.fromisoformat(days[0]) if days else datetime.now(UTC).date()
        path.write_text(dated(path.read_text(encoding="utf-8"), version, day), encoding="utf-8")
    except (ReleaseError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f'CHANGELOG.md has the section [{version}] - {day}. Next: git commit -am "Release {version}"; make release')
    return 0


if __name__ == "__main__":
    sys.exit(main(ROOT, *sys.argv[1:]))
