"""What keeps a tree from being released, in real git trees."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from make_release import main, state_faults
from release_notes import ReleaseError

CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n- A change.\n"


def git(root: Path, *arguments: str) -> None:
    who = (
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@example.org",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "tag.gpgsign=false",
    )
    subprocess.run(["git", *who, *arguments], cwd=root, capture_output=True, check=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "facemon").mkdir()
    (tmp_path / "facemon/version.py").write_text('__version__ = "0.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / ".gitignore").write_text("dist/\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "Release 0.2.0")
    return tmp_path


def changed(root: Path) -> None:
    (root / "facemon/version.py").write_text('__version__ = "0.2.0"  # now\n\n__version__ = "0.2.0"\n')


def untracked(root: Path) -> None:
    (root / "facemon/new.py").write_text("")


def removed(root: Path) -> None:
    (root / ".gitignore").unlink()


def staged(root: Path) -> None:
    untracked(root)
    git(root, "add", ".")


def tagged(root: Path) -> None:
    git(root, "tag", "v0.2.0")


def undated(root: Path) -> None:
    (root / "CHANGELOG.md").write_text(CHANGELOG.replace("## [0.2.0] - 2026-12-01\n\n", ""))
    git(root, "commit", "--all", "--quiet", "--message", "Date nothing")


def test_a_clean_dated_tree_without_a_tag_has_no_fault(tree: Path) -> None:
    (tree / "dist").mkdir()
    (tree / "dist/old.whl").write_text("")
    git(tree, "tag", "v0.1.0")
    assert list(state_faults(tree)) == []


@pytest.mark.parametrize(
    ("spoil", "faults"),
    [
        (changed, ["the tree is not clean: commit or remove facemon/version.py"]),
        (untracked, ["the tree is not clean: commit or remove facemon/new.py"]),
        (removed, ["the tree is not clean: commit or remove .gitignore"]),
        (staged, ["the tree is not clean: commit or remove facemon/new.py"]),
        (tagged, ["the tag v0.2.0 is there: set the next version in facemon/version.py"]),
        (
            undated,
            [
                "CHANGELOG.md needs a section [Unreleased] without changes: run make release-notes",
                "CHANGELOG.md has no section [0.2.0]: run make release-notes",
            ],
        ),
    ],
)
def test_each_fault_is_named_before_anything_is_built(
    tree: Path, spoil: Callable[[Path], None], faults: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(tree)
    assert list(state_faults(tree)) == faults
    assert main(tree) == 1
    assert capsys.readouterr().err == "".join(f"error: {fault}\n" for fault in faults)
    assert not (tree / "dist").exists()


def test_a_tree_that_git_does_not_know_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "facemon").mkdir()
    (tmp_path / "facemon/version.py").write_text('__version__ = "0.2.0"\n')
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(ReleaseError, match="git status"):
        list(state_faults(tmp_path))
