"""The changelog of a release: what is unreleased becomes the version's, and nothing else changes."""

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from release_notes import ReleaseError, changelog_faults, dated, main, sections_of, version_of

DAY = date(2026, 12, 1)
HEAD = "# Changelog\n\n## [Unreleased]\n"
CHANGES = "\n### Added\n\n- A change.\n"
OLDER = "\n## [0.1.0] - 2026-11-01\n\n- The first one.\n"
RELEASED = dated(HEAD + CHANGES + OLDER, "0.2.0", DAY)

lines = st.lists(st.from_regex(r"(### [A-Z][a-z]+|- [a-z `\]\[]+|  [a-z]+|)", fullmatch=True), max_size=8)
ROOT = Path(__file__).parents[2]


@given(lines, lines)
def test_dating_adds_one_heading_and_keeps_every_line(unreleased: list[str], older: list[str]) -> None:
    before = "\n".join([HEAD, *unreleased, "- one change", "", "## [0.1.0] - 2026-11-01", *older, ""])
    after = dated(before, "0.2.0", DAY)
    added = "\n\n## [0.2.0] - 2026-12-01"
    assert after.count(added) == 1
    assert after.replace(added, "") == before
    assert list(changelog_faults(after, "0.2.0")) == []
    sections = dict(sections_of(after))
    assert sections["0.2.0"].text == dict(sections_of(before))["Unreleased"].text
    assert sections["Unreleased"].is_empty()


@pytest.mark.parametrize(
    ("changelog", "fault"),
    [
        (HEAD + OLDER, "there is nothing to release"),
        (HEAD + "\n### Added\n" + OLDER, "there is nothing to release"),
        ("# Changelog\n" + OLDER, "there is nothing to release"),
        (HEAD + CHANGES + "\n## [0.2.0] - 2026-12-01\n", "set the next version"),
    ],
)
def test_what_cannot_be_dated_is_an_error(changelog: str, fault: str) -> None:
    with pytest.raises(ReleaseError, match=fault):
        dated(changelog, "0.2.0", DAY)


@pytest.mark.parametrize(
    ("changelog", "fault"),
    [
        (HEAD + CHANGES + OLDER, "no section [0.2.0]"),
        (RELEASED.replace(HEAD, HEAD + CHANGES), "needs a section [Unreleased] without changes"),
        (RELEASED.replace(HEAD, "# Changelog\n"), "needs a section [Unreleased] without changes"),
        (RELEASED.replace(CHANGES, "\n### Added\n"), "lists no change of [0.2.0]"),
        (RELEASED.replace(" - 2026-12-01", ""), '"## [0.2.0]"'),
        (RELEASED.replace("2026-12-01", "2026-13-01"), "YYYY-MM-DD"),
        (RELEASED.replace("2026-12-01", "soon"), "YYYY-MM-DD"),
        (HEAD + OLDER + RELEASED.removeprefix(HEAD).replace(OLDER, ""), "must be its first"),
        (RELEASED + OLDER, "two sections of one version"),
    ],
)
def test_each_fault_of_a_changelog_is_named(changelog: str, fault: str) -> None:
    assert [found for found in changelog_faults(changelog, "0.2.0") if fault in found]


@pytest.mark.parametrize("version", ["", "1.0", "0.2.0rc1", "0.2.0.dev0", "v0.2.0", "01.2.0"])
def test_only_final_versions_are_released(version: str, tmp_path: Path) -> None:
    (tmp_path / "facemon").mkdir()
    (tmp_path / "facemon/version.py").write_text(f'__version__ = "{version}"\n')
    with pytest.raises(ReleaseError, match=re.escape("MAJOR.MINOR.PATCH")):
        version_of(tmp_path)


def test_the_command_dates_the_file_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "facemon").mkdir()
    (tmp_path / "facemon/version.py").write_text('__version__ = "0.2.0"\n')
    changelog = tmp_path / "CHANGELOG.md"
    changelog.write_text(HEAD + CHANGES + OLDER)
    assert main(tmp_path, "2026-12-01") == 0
    assert changelog.read_text() == RELEASED
    assert main(tmp_path, "2026-12-02") == 1
    assert changelog.read_text() == RELEASED
    assert "set the next version in facemon/version.py" in capsys.readouterr().err
    assert main(tmp_path, "first of May") == 1


def test_the_changelog_of_this_tree_can_be_released() -> None:
    """Either it is dated already, or `make release-notes` can date it."""
    version, changelog = version_of(ROOT), (ROOT / "CHANGELOG.md").read_text()
    sections = dict(sections_of(changelog))
    if version not in sections:
        changelog = dated(changelog, version, DAY)
        assert list(changelog_faults(changelog, version)) == []
    assert len(sections) == len(sections_of(changelog)) - (version not in sections)
