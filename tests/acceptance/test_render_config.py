"""The installed command where its output is not as it left it, where it may not write, and where options conflict."""

import os
import shutil
from pathlib import Path

import pytest

from tests.conftest import RunFacemon
from tests.render.configurations import ONE_ALERT

PASSWORD = "grafana: {admin_password_file: secrets/grafana}\n"
RULES = "monitoring/prometheus/alert_rules.yml"
DASHBOARD = "monitoring/grafana/dashboards/ml_metrics.json"
WATCHDOG = "monitoring/runbooks/Watchdog.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a configuration, of which everything is rendered."""
    (tmp_path / "facemon.yaml").write_text(PASSWORD)
    return tmp_path


@pytest.fixture(scope="module")
def rendered_once(facemon: RunFacemon, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("rendered")
    (made / "facemon.yaml").write_text(PASSWORD)
    outcome = facemon("render-config", cwd=made)
    assert outcome.returncode == 0, outcome.stderr
    return made


@pytest.fixture
def rendered(rendered_once: Path, folder: Path) -> Path:
    """The folder after the command has written everything."""
    shutil.copytree(rendered_once, folder, dirs_exist_ok=True)
    return folder


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "facemon.yaml")
    return {path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_a_second_run_writes_nothing(facemon: RunFacemon, rendered: Path) -> None:
    before = contents(rendered)
    outcome = facemon("render-config", cwd=rendered)
    assert "0 of " in outcome.stderr
    assert contents(rendered) == before
    assert facemon("render-config", "--check", cwd=rendered).returncode == 0
    assert facemon("render-config", "-q", cwd=rendered).stderr == ""


@pytest.mark.parametrize("path", [RULES, DASHBOARD])
def test_a_file_edited_by_hand_is_kept_and_told(facemon: RunFacemon, rendered: Path, path: str) -> None:
    (rendered / path).write_text("mine\n")
    before = contents(rendered)
    kept = facemon("render-config", "-q", cwd=rendered)
    assert kept.returncode == 1
    assert f"{path} is not as facemon wrote it, and was kept" in kept.stderr
    assert "--force overwrites them" in kept.stderr
    assert contents(rendered) == before
    assert facemon("render-config", "--check", cwd=rendered).stdout == f"edited: {path}\n"
    forced = facemon("render-config", "--force", cwd=rendered)
    assert forced.returncode == 0
    assert facemon("render-config", "--check", cwd=rendered).returncode == 0


def test_somebody_elses_file_is_kept_and_the_rest_written(facemon: RunFacemon, folder: Path) -> None:
    (folder / RULES).parent.mkdir(parents=True)
    (folder / RULES).write_text("theirs\n")
    outcome = facemon("render-config", cwd=folder)
    assert outcome.returncode == 1
    assert f"{RULES} is not as facemon wrote it" in outcome.stderr
    assert (folder / RULES).read_text() == "theirs\n"
    assert (folder / DASHBOARD).exists()


def test_a_folder_of_another_configuration_is_refused_and_left(facemon: RunFacemon, rendered: Path) -> None:
    before = contents(rendered)
    (rendered / "other").mkdir()
    (rendered / "other/facemon.yaml").write_text(PASSWORD + "drift: {significance: 0.01}\n")
    other = ("-c", "other/facemon.yaml", "render-config")
    refused = facemon(*other, cwd=rendered)
    assert refused.returncode == 1
    assert "holds what was rendered from facemon.yaml, another configuration" in refused.stderr
    assert "--out" in refused.stderr
    assert facemon(*other, "--diff", cwd=rendered).returncode == 3
    assert contents(rendered) == {**before, **contents(rendered / "other")}


def test_what_is_rendered_no_longer_goes_only_when_asked(facemon: RunFacemon, rendered: Path) -> None:
    (rendered / "facemon.yaml").write_text(PASSWORD + "alerts: {Watchdog: {enabled: false}}\n")
    theirs = rendered / "monitoring/runbooks/Theirs.md"
    theirs.write_text("theirs\n")
    assert f"stale: {WATCHDOG}" in facemon("render-config", "--check", cwd=rendered).stdout
    assert facemon("render-config", cwd=rendered).returncode == 0
    assert (rendered / WATCHDOG).exists()
    assert facemon("render-config", "--prune", cwd=rendered).returncode == 0
    assert not (rendered / WATCHDOG).exists()
    assert theirs.read_text() == "theirs\n"
    assert facemon("render-config", "--check", cwd=rendered).returncode == 0


def test_differences_are_shown_and_nothing_is_written(facemon: RunFacemon, rendered: Path) -> None:
    (rendered / "facemon.yaml").write_text(PASSWORD + "alerts: {DriftDetected: {threshold: 0.3}}\n")
    before = contents(rendered)
    shown = facemon("render-config", "--diff", cwd=rendered)
    assert shown.returncode == 3
    assert f"--- a/{RULES}\n+++ b/{RULES}\n" in shown.stdout
    assert contents(rendered) == before


def test_an_output_path_that_is_a_file_is_refused(facemon: RunFacemon, folder: Path) -> None:
    (folder / "out").write_text("")
    outcome = facemon("render-config", "--out", "out", cwd=folder)
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert outcome.stderr.splitlines()[-2:] == [
        "error: out: is a file, and the stack needs a folder",
        "  hint: name another with --out",
    ]


def test_a_link_out_of_the_tree_is_refused_and_nothing_is_written(facemon: RunFacemon, folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "out/monitoring").mkdir(parents=True)
    (folder / "out/monitoring/runbooks").symlink_to(folder / "elsewhere")
    outcome = facemon("render-config", "--out", "out", cwd=folder)
    assert outcome.returncode == 1
    assert "a link leads out of out" in outcome.stderr
    assert list((folder / "elsewhere").iterdir()) == []
    assert list((folder / "out/monitoring").iterdir()) == [folder / "out/monitoring/runbooks"]


def test_a_folder_that_takes_no_file_is_refused_and_nothing_is_left(facemon: RunFacemon, folder: Path) -> None:
    # Permissions do not stop root; this file system stops everybody.
    outcome = facemon("render-config", "--out", "/proc/facemon", cwd=folder)
    assert outcome.returncode == 1
    assert "cannot be written" in outcome.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not stop root")
def test_a_read_only_folder_is_refused(facemon: RunFacemon, folder: Path) -> None:
    (folder / "out").mkdir(mode=0o500)
    outcome = facemon("render-config", "--out", "out", cwd=folder)
    assert outcome.returncode == 1
    assert "cannot be written: permission denied" in outcome.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--only", "grafna"), "--only 'grafna': no such part"),
        (("--only", ""), "--only '': no such part"),
        (("--only", "grafana,"), "--only '': no such part"),
        (("--stdout", "rules.yml"), "'rules.yml' is not a rendered file"),
        (("--only", "grafana", "--stdout", "alert_rules.yml"), "'alert_rules.yml' is not a rendered file"),
        (("--stdout", "alert_rules.yml", "--check"), "leave out --check, or --stdout"),
        (("--stdout", "alert_rules.yml", "--diff", "--force"), "leave out --diff and --force, or --stdout"),
        (("--check", "--force"), "--check writes nothing, so that --force would do nothing"),
        (("--diff", "--prune"), "--diff writes nothing, so that --prune would do nothing"),
        (("--check", "--reload"), "--check writes nothing, so that --reload would do nothing"),
        (("--only", "grafana", "--reload"), "--reload: no server reads the files of --only"),
        (("--for", "existing", "--reload"), "stack.reload does not say how the existing servers are reloaded"),
        (("--for", "existing", "--only", "compose"), "compose starts nothing where stack.for is existing"),
        (("--for", "everything"), "'everything' is not one of"),
    ],
)
def test_names_that_there_are_not_and_options_that_conflict(
    facemon: RunFacemon, folder: Path, options: tuple[str, ...], told: str
) -> None:
    outcome = facemon("render-config", *options, cwd=folder)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert told in outcome.stderr
    assert not (folder / "monitoring").exists()


def test_one_file_is_printed_and_none_written(facemon: RunFacemon, folder: Path) -> None:
    outcome = facemon("render-config", "--stdout", "alert_rules.yml", cwd=folder)
    assert outcome.returncode == 0
    assert "alert: DriftDetected" in outcome.stdout
    assert not (folder / "monitoring").exists()


@pytest.mark.servers
def test_what_the_tools_refuse_is_not_written(facemon: RunFacemon, folder: Path, servers: Path) -> None:
    (folder / "facemon.yaml").write_text(ONE_ALERT)
    tools = {"PATH": f"{servers / 'usr/bin'}:{os.environ['PATH']}"}
    accepted = facemon("render-config", "--verify", cwd=folder, env=tools)
    assert accepted.returncode == 0, accepted.stderr
    for what in ("lint", "promtool check config", "promtool check rules", "promtool test rules", "amtool check-config"):
        assert f"{what}: accepted\n" in accepted.stderr
    assert "dashboards: not verified (only Grafana itself reads them" in accepted.stderr
    (folder / "facemon.yaml").write_text(ONE_ALERT + '  custom: [{name: Own, expr: "sum(", summary: x}]\n')
    before = contents(folder)
    refused = facemon("render-config", "--verify", cwd=folder, env=tools)
    assert refused.returncode == 1
    assert "warning: lint: refused\n" in refused.stderr
    assert f"{RULES}: groups[" in refused.stderr
    assert "promtool check rules, promtool test rules refused what was rendered" in refused.stderr
    assert contents(folder) == before


def test_without_the_tools_what_was_not_verified_is_said(facemon: RunFacemon, folder: Path, tmp_path: Path) -> None:
    outcome = facemon("render-config", "--verify", "--check", cwd=folder, env={"PATH": str(tmp_path)})
    assert outcome.returncode == 3
    assert "lint: accepted\n" in outcome.stderr
    assert "promtool test rules: not verified (promtool is not on PATH)" in outcome.stderr
    assert "amtool check-config: not verified (amtool is not on PATH)" in outcome.stderr
