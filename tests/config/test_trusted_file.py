"""A configuration that another user owns or may change is refused, unless FACEMON_TRUST names it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from facemon.config.loader import load_config
from facemon.config.trusted_file import may_hold_modules, trusted_users
from facemon.errors import ConfigError, UsageError
from tests.conftest import RunFacemon

STRANGER = 12345

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to other users")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "place"
    folder.mkdir()
    file = folder / "facemon.yaml"
    file.write_text("version: 1\n")
    return file


def refusal(file: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert caught.value.hint is not None
    assert f"export FACEMON_TRUST={file.absolute()}" in caught.value.hint
    return caught.value.message


def test_what_every_user_may_change_is_refused(config: Path) -> None:
    load_config(config)
    config.chmod(0o666)
    assert "every user may change it (mode 0666)" in refusal(config)
    config.chmod(0o664)
    load_config(config)
    config.parent.chmod(0o777)
    assert f"every user may replace it (the folder {config.parent} is writable by all)" in refusal(config)
    config.parent.chmod(0o1777)
    load_config(config)


def test_a_link_is_judged_by_both_of_its_ends(config: Path, tmp_path: Path) -> None:
    link = tmp_path / "linked.yaml"
    link.symlink_to(config)
    load_config(link)
    config.parent.chmod(0o777)
    assert "may replace it" in refusal(link)


@as_root
def test_what_belongs_to_another_user_is_refused(config: Path, tmp_path: Path) -> None:
    link = tmp_path / "linked.yaml"
    link.symlink_to(config)
    os.chown(link, STRANGER, STRANGER, follow_symlinks=False)
    assert f"is a link that belongs to another user (uid {STRANGER})" in refusal(link)
    os.chown(config, STRANGER, STRANGER)
    assert f"belongs to another user (uid {STRANGER})" in refusal(config)


@pytest.mark.parametrize(
    ("user", "environment", "users"),
    [
        (1000, {}, {0, 1000}),
        (0, {}, {0}),
        (0, {"SUDO_UID": "1000"}, {0, 1000}),
        (1001, {"SUDO_UID": "1000"}, {0, 1001}),
        (0, {"SUDO_UID": ""}, {0}),
        (0, {"SUDO_UID": "-1"}, {0}),
        (0, {"SUDO_UID": "²"}, {0}),
    ],
)
def test_the_users_whose_configuration_is_loaded(user: int, environment: Mapping[str, str], users: set[int]) -> None:
    assert trusted_users(user, environment) == users


@pytest.mark.parametrize(
    ("trust", "is_loaded"),
    [
        ("{file}", True), ("{folder}", True), ("/nowhere:{folder}/", True), ("*", True), ("/", True),
        ("", False), (":", False), ("{folder}x", False), ("{file}.old:/nowhere", False),
    ],
)  # fmt: skip
def test_exceptions_are_files_or_folders(
    config: Path, monkeypatch: pytest.MonkeyPatch, trust: str, is_loaded: bool
) -> None:
    config.chmod(0o666)
    monkeypatch.setenv("FACEMON_TRUST", trust.format(file=config, folder=config.parent))
    if is_loaded:
        load_config(config)
    else:
        refusal(config)


def test_a_relative_exception_is_refused(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.chmod(0o666)
    monkeypatch.setenv("FACEMON_TRUST", ".")
    with pytest.raises(UsageError, match=r"'\.' is not an absolute path"):
        load_config(config)


def test_a_folder_of_all_is_not_searched_for_modules(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert may_hold_modules(config.parent)
    config.parent.chmod(0o1777)
    assert not may_hold_modules(config.parent)
    monkeypatch.setenv("FACEMON_TRUST", str(config.parent))
    assert may_hold_modules(config.parent)


@as_root
def test_a_folder_of_another_user_is_not_searched_for_modules(config: Path) -> None:
    os.chown(config.parent, STRANGER, STRANGER)
    load_config(config)
    assert not may_hold_modules(config.parent)


def test_a_planted_configuration_runs_nothing(facemon: RunFacemon, config: Path) -> None:
    """With a command and a module of its own, for each command that reads it, found there or named with -c."""
    (config.parent / "planted.py").write_text("open('pwned', 'w').close()\n")
    config.write_text("drift: {on_drift: [touch, pwned]}\nexporter: {collectors: ['planted:Any']}\n")
    config.chmod(0o666)
    for arguments in (
        ["model", "show"], ["predict", "a.jpg"], ["drift-check"], ["evaluate", "l.csv"], ["reference", "list"],
        ["export-metrics"], ["serve-metrics"], ["serve"], ["render-config"], ["store", "info"], ["metrics"],
        ["-c", str(config), "model", "show"],
    ):  # fmt: skip
        answer = facemon(*arguments, cwd=config.parent)
        assert answer.returncode == 2, arguments
        assert "every user may change it" in answer.stderr, arguments
    assert not (config.parent / "pwned").exists()
    trusting = {"FACEMON_TRUST": str(config)}
    assert facemon("model", "show", cwd=config.parent, env=trusting).returncode == 0


@as_root
def test_a_process_of_one_user_refuses_the_file_of_another() -> None:
    code = (
        "import os, sys; from pathlib import Path; from facemon.config.loader import load_config\n"
        "file, user = Path(sys.argv[1]), int(sys.argv[2])\n"
        "load_config(file.with_name('roots.yaml'))\n"  # all that it needs is imported while it may read it
        "os.setgid(user); os.setuid(user); load_config(file)"
    )
    with tempfile.TemporaryDirectory() as folder:  # pytest's own are closed to other users
        Path(folder).chmod(0o755)
        file = Path(folder, "facemon.yaml")
        file.write_text("version: 1\n")
        file.with_name("roots.yaml").write_text("version: 1\n")
        os.chown(file, STRANGER, STRANGER)
        for user, is_loaded in ((STRANGER, True), (STRANGER + 1, False)):
            answer = subprocess.run(
                [sys.executable, "-c", code, str(file), str(user)], capture_output=True, text=True, check=False
            )
            assert (answer.returncode == 0) is is_loaded, answer.stderr
            assert is_loaded or f"belongs to another user (uid {STRANGER})" in answer.stderr
