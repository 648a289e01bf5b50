import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from facemon.errors import ConfigError
from facemon.render.compose import compose
from facemon.render.provisioning import DASHBOARDS_DIR, dashboard_provider, datasources
from facemon.render.stack import COMPOSE_FILE, Part, render_stack
from tests.render.configurations import CONFIGURATIONS, DEFAULTS, DIRECTORY, SHORTENED, config_of


def services(text: str = DEFAULTS) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose(config_of(text), DIRECTORY)["services"]
    return found


@pytest.mark.parametrize("text", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_the_schema_of_compose_accepts_it(text: str, tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.write_text(render_stack(config_of(text)).files[COMPOSE_FILE])
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_services_containers_and_ports_are_those_of_the_guide() -> None:
    found = services()
    assert set(found) == {"prometheus", "alertmanager", "grafana", "node-exporter", "cadvisor"}
    assert all(service["container_name"] == f"mlops-{name}" for name, service in found.items())
    ports = {name: service["ports"] for name, service in found.items() if "ports" in service}
    assert ports == {
        "prometheus": ["127.0.0.1:9090:9090"],
        "alertmanager": ["127.0.0.1:9093:9093"],
        "grafana": ["127.0.0.1:3000:3000"],
    }


def test_every_service_is_pinned_checked_and_restarted() -> None:
    for service in services().values():
        tag = service["image"].rsplit(":", 1)[1]
        assert any(char.isdigit() for char in tag)
        assert service["healthcheck"]["test"][0] == "CMD"
        assert service["restart"] == "unless-stopped"
        assert service["read_only"] is True
        assert "privileged" not in service


def test_images_can_be_replaced_but_not_by_latest() -> None:
    assert services(SHORTENED)["grafana"]["image"] == "grafana/grafana:11.6.0"
    for image in ("grafana/grafana:latest", "grafana/grafana"):
        with pytest.raises(ConfigError):
            config_of(f"stack: {{images: {{grafana: '{image}'}}}}")


def test_every_secret_that_a_service_reads_is_mounted_where_it_looks() -> None:
    stack = render_stack(config_of(SHORTENED))
    content = yaml.safe_load(stack.files[COMPOSE_FILE])
    assert content["secrets"]["slack"] == {"file": "../secrets/slack"}
    assert content["secrets"]["token"] == {"file": "/etc/token"}
    for service, path in (
        ("prometheus", "prometheus/prometheus.yml"),
        ("alertmanager", "alertmanager/alertmanager.yml"),
    ):
        wanted = {word for word in stack.files[f"monitoring/{path}"].split() if word.startswith("/run/secrets/")}
        assert wanted == {secret["target"] for secret in content["services"][service]["secrets"]}
    grafana = content["services"]["grafana"]
    assert grafana["environment"]["GF_SECURITY_ADMIN_PASSWORD__FILE"] == grafana["secrets"][0]["target"]


def test_a_secret_is_found_from_another_output_folder() -> None:
    content = compose(config_of(DEFAULTS), DIRECTORY / "deploy")
    assert content["secrets"] == {"grafana_admin_password": {"file": "../../secrets/grafana_admin_password"}}


def test_two_secrets_of_one_name_are_refused() -> None:
    text = SHORTENED.replace("secrets/slack", "other/smtp")
    with pytest.raises(ConfigError, match="would both be mounted as 'smtp'"):
        render_stack(config_of(text))


def test_without_a_password_compose_is_left_out_or_refused() -> None:
    stack = render_stack(config_of(""))
    assert COMPOSE_FILE not in stack.files
    assert any(COMPOSE_FILE in note for note in stack.notes)
    with pytest.raises(ConfigError, match="no default password"):
        render_stack(config_of(""), only=[Part.COMPOSE])


def test_grafana_finds_its_provider_and_the_dashboards() -> None:
    mounts = dict(volume.split(":")[:2] for volume in services()["grafana"]["volumes"])
    assert mounts["./grafana/provisioning"] == "/etc/grafana/provisioning"
    assert mounts["./grafana/dashboards"] == DASHBOARDS_DIR
    assert not DASHBOARDS_DIR.startswith("/etc/grafana/provisioning")
    assert dashboard_provider()["providers"][0]["options"]["path"] == DASHBOARDS_DIR
    assert datasources()["datasources"][0]["url"] == "http://prometheus:9090"


def test_no_dollar_names_a_variable() -> None:
    text = DEFAULTS.replace("}", ", root_url: 'http://g.example/$HOME'}")
    stack = render_stack(config_of(text))
    assert "http://g.example/$$HOME" in stack.files[COMPOSE_FILE]
    assert "$" not in stack.files[COMPOSE_FILE].replace("$$", "")


def test_the_textfile_door_is_mounted() -> None:
    node = services(SHORTENED)["node-exporter"]
    assert "./textfile:/textfile:ro" in node["volumes"]
    assert "--collector.textfile.directory=/textfile" in node["command"]
