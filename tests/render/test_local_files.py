"""What render-config makes beside the rendered files: a password, variables for compose, a folder for textfiles."""

import os
from pathlib import Path
from typing import Any

from facemon.config.document import Config
from facemon.config.loader import parse_config
from facemon.render.compose import compose
from facemon.render.compose_full import full_compose
from facemon.render.local_files import make_local_files
from facemon.render.purpose import MADE_PASSWORD, fitted
from facemon.render.stack import COMPOSE_FILE, FULL_COMPOSE_FILE, render_stack
from tests.conftest import RunFacemon
from tests.read_yaml import read_yaml

VARIABLES = "monitoring/.env"
SECRETS = """\
api: {tokens_file: secrets/tokens}
grafana: {admin_password_file: secrets/admin, database: {password_file: secrets/database}}
prometheus: {remote_write: [{url: "https://r.example", bearer_token_file: secrets/token}]}
alertmanager: {receivers: [{name: a, slack: [{api_url_file: secrets/slack, channel: c}]}]}
"""
READERS = {"admin": {"grafana", "grafana-2"}, "database": {"grafana", "grafana-2", "postgres"}, "token": {"prometheus"},
           "slack": {"alertmanager"}, "tokens": {"api"}}  # fmt: skip


def config_in(folder: Path, text: str) -> Config:
    return fitted(parse_config(text, name="facemon.yaml", directory=folder), folder)


def variables(folder: Path, path: str = VARIABLES) -> dict[str, str]:
    lines = (folder / path).read_text().splitlines()
    return dict(line.split("=") for line in lines if not line.startswith("#"))


def test_a_password_is_made_once_for_grafana_alone(facemon: RunFacemon, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        first = facemon("render-config", "--out", "out", cwd=tmp_path)
    finally:
        os.umask(before)
    password = tmp_path / "out" / MADE_PASSWORD
    made = password.read_text()
    assert len(made) >= 32
    assert password.stat().st_mode & 0o777 == 0o600
    assert password.parent.stat().st_mode & 0o777 == 0o700
    assert (password.parent / ".gitignore").read_text() == "*\n"
    assert "made a password for Grafana's user admin: out/monitoring/secrets/grafana_admin_password" in first.stderr
    second = facemon("render-config", "--force", "--out", "out", cwd=tmp_path)
    assert password.read_text() == made
    assert "made a password" not in second.stderr
    others = [path for path in (tmp_path / "out").rglob("*") if path.is_file() and path != password]
    assert not any(made in text for text in (first.stderr, first.stdout, *(path.read_text() for path in others)))
    # The users of containers read all folders but that of secrets, whose files compose mounts one by one.
    folders = [path for path in (tmp_path / "out").rglob("*") if path.is_dir() and path.name != "secrets"]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o755}


def test_two_stacks_get_two_passwords(facemon: RunFacemon, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        assert facemon("render-config", "--out", folder, cwd=tmp_path).returncode == 0
    assert (tmp_path / "a" / MADE_PASSWORD).read_text() != (tmp_path / "b" / MADE_PASSWORD).read_text()


def test_nothing_is_made_where_nothing_is_written_or_nothing_is_missing(facemon: RunFacemon, tmp_path: Path) -> None:
    for options in (("--check",), ("--diff",), ("--stdout", "prometheus.yml"), ("--only", "prometheus")):
        facemon("render-config", *options, cwd=tmp_path)
        assert not (tmp_path / MADE_PASSWORD).exists()
    assert facemon("render-config", "--for", "existing", cwd=tmp_path).returncode == 0
    (tmp_path / "facemon.yaml").write_text("grafana: {admin_password_file: secrets/own}")
    outcome = facemon("render-config", "--force", cwd=tmp_path)
    assert not (tmp_path / MADE_PASSWORD).parent.exists()
    assert "these secrets are missing: secrets/own" in outcome.stderr


def test_grafana_runs_as_the_owner_of_a_password_that_no_other_user_can_read(tmp_path: Path) -> None:
    config = config_in(tmp_path, "grafana: {admin_password_file: p}")
    (tmp_path / "p").write_text("x")
    (tmp_path / "p").chmod(0o644)
    make_local_files(config, tmp_path)
    assert "FACEMON_GRAFANA_USER" not in variables(tmp_path)
    (tmp_path / "p").chmod(0o400)
    if os.geteuid() == 0:
        os.chown(tmp_path / "p", 1234, 0)
    make_local_files(config, tmp_path)
    user = str((tmp_path / "p").stat().st_uid)
    assert variables(tmp_path)["FACEMON_GRAFANA_USER"] == user
    # What Grafana has stored meanwhile is that user's.
    (tmp_path / "p").chmod(0o644)
    make_local_files(config, tmp_path)
    assert variables(tmp_path)["FACEMON_GRAFANA_USER"] == user
    files = render_stack(config).files
    assert read_yaml(files[COMPOSE_FILE])["services"]["grafana"]["user"] == "${FACEMON_GRAFANA_USER:-472}:0"


def test_what_reads_a_changed_secret_gets_another_label(tmp_path: Path) -> None:
    config = config_in(tmp_path, SECRETS)
    (tmp_path / "secrets").mkdir()
    for each in READERS:
        (tmp_path / "secrets" / each).write_text(each)
    before = labels(config, tmp_path)
    assert labels(config, tmp_path) == before
    for name, readers in READERS.items():
        file = tmp_path / "secrets" / name
        for content, replaces in (("edited", False), ("replaced", True)):
            if replaces:
                file.rename(tmp_path / "before")
            file.write_text(content)
            after = labels(config, tmp_path)
            assert {service for service in after if after[service] != before[service]} == readers, (name, content)
            before = after


def labels(config: Config, folder: Path) -> dict[str, Any]:
    """What compose compares of each service, as far as secrets are in it, with the variables filled in."""
    make_local_files(config, folder)
    known, found = variables(folder), dict[str, Any]()
    for content in (compose(config, folder), full_compose(config, folder, COMPOSE_FILE)):
        for name, service in content["services"].items():
            label = service.get("labels", {}).get("facemon.secrets", "")
            environment = [(folder / file).read_text() for file in service.get("env_file", ())]
            found[name] = (known.get(label.removeprefix("${").removesuffix(":-}")), environment)
    return found


def test_lines_of_others_are_kept(tmp_path: Path) -> None:
    config = config_in(tmp_path, "grafana: {admin_password_file: p}")
    (tmp_path / "p").write_text("x")
    (tmp_path / "monitoring").mkdir()
    (tmp_path / VARIABLES).write_text("COMPOSE_PROFILES=ha\nFACEMON_GRAFANA_SECRETS=old\n")
    make_local_files(config, tmp_path)
    first = (tmp_path / VARIABLES).read_bytes()
    assert variables(tmp_path)["COMPOSE_PROFILES"] == "ha"
    assert variables(tmp_path)["FACEMON_GRAFANA_SECRETS"] != "old"
    make_local_files(config, tmp_path)
    assert (tmp_path / VARIABLES).read_bytes() == first


def test_the_folder_of_textfiles_is_made_for_its_writer(tmp_path: Path) -> None:
    make_local_files(config_in(tmp_path, "stack: {for: textfile}"), tmp_path)
    assert (tmp_path / "monitoring/textfile").stat().st_uid == os.geteuid()


def test_labels_follow_the_files_that_a_service_reads_when_it_starts() -> None:
    def digests(text: str) -> dict[str, str]:
        found: dict[str, str] = {}
        files = render_stack(parse_config(text, name="facemon.yaml", directory=Path("/srv/faces"))).files
        for path in (COMPOSE_FILE, FULL_COMPOSE_FILE):
            services = read_yaml(files[path])["services"].items()
            found |= {name: service.get("labels", {}).get("facemon.files", "") for name, service in services}
        return found

    before = digests("")
    for text, changed in {
        "alerts: {DriftDetected: {threshold: 0.4}}": {"prometheus"},
        "alertmanager: {group_wait: 1m}": {"alertmanager"},
        "grafana: {folder: F}": {"grafana"},
        "predict: {max_pixels: 1000}": {"api", "exporter"},
        "": set(),
    }.items():
        after = digests(text)
        assert {name for name in after if after[name] != before[name]} == changed, text


def test_the_label_of_the_api_does_not_depend_on_where_the_folder_lies() -> None:
    texts = set()
    for folder in ("/srv/faces", "/home/ml/deploy"):
        config = parse_config("store: {path: log}", name="facemon.yaml", directory=Path(folder))
        texts.add(render_stack(config).files[FULL_COMPOSE_FILE])
    assert len(texts) == 1


def test_a_folder_that_containers_cannot_read_is_said(tmp_path: Path) -> None:
    config = config_in(tmp_path, "grafana: {admin_password_file: facemon.yaml}\nstack: {for: monitoring}")
    (tmp_path / "facemon.yaml").touch()
    folder = tmp_path / "monitoring/grafana/dashboards"
    folder.mkdir(parents=True)
    for mode, is_said in ((0o755, False), (0o750, True), (0o711, True)):
        folder.chmod(mode)
        said = make_local_files(config, tmp_path)
        assert any(f"cannot read {folder}: chmod -R o+rX" in line for line in said) == is_said
