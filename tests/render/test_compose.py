import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from facemon.errors import ConfigError
from facemon.render.compose import compose
from facemon.render.provisioning import DASHBOARDS_DIR, dashboard_provider, datasources
from facemon.render.stack import COMPOSE_FILE, FULL_COMPOSE_FILE, Part, render_stack
from tests.read_yaml import read_yaml
from tests.render.configurations import CONFIGURATIONS, DEFAULTS, DIRECTORY, REPLICATED, SHORTENED, config_of, stack_of

COMPOSE_FILES = {COMPOSE_FILE, FULL_COMPOSE_FILE}
NAMED = REPLICATED + "stack: {name: north, selinux: true}\n"


def all_services(text: str) -> dict[str, dict[str, Any]]:
    files = stack_of(text).files
    found: dict[str, dict[str, Any]] = {}
    for path in COMPOSE_FILES.intersection(files):
        found |= read_yaml(files[path])["services"]
    return found


def services(text: str = DEFAULTS) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose(config_of(text), DIRECTORY)["services"]
    return found


@pytest.mark.slow
def test_the_schema_of_compose_accepts_them(tmp_path: Path) -> None:
    """All in one run: it needs longer to start than to check a file."""
    for name, text in {**CONFIGURATIONS, "named": NAMED}.items():
        rendered = stack_of(text).files
        for path in COMPOSE_FILES.intersection(rendered):
            (tmp_path / f"{name}-{Path(path).name}").write_text(rendered[path])
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    command += sorted(map(str, tmp_path.iterdir()))
    assert len(command) > 5 + len(CONFIGURATIONS)
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


@pytest.mark.parametrize("text", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_every_service_is_pinned_checked_restarted_limited_and_has_few_rights(text: str) -> None:
    for name, service in all_services(text).items():
        tag = service["image"].rsplit(":", 1)[1]
        assert any(char.isdigit() for char in tag)
        assert service["healthcheck"]["test"][0] == "CMD"
        assert service["restart"] == "unless-stopped"
        assert service["read_only"] is True
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["cap_drop"] == ["ALL"]
        assert "privileged" not in service
        assert ("cap_add" in service) == (name == "cadvisor")
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
        assert set(service["logging"]["options"]) == {"max-size", "max-file"}


@pytest.mark.parametrize("text", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_every_port_is_open_on_loopback_only_and_once(text: str) -> None:
    ports = [port.rsplit(":", 2) for service in all_services(text).values() for port in service.get("ports", [])]
    assert {host for host, _, _ in ports} == {"127.0.0.1"}
    assert len({outside for _, outside, _ in ports}) == len(ports)


def test_ports_are_open_where_listen_says() -> None:
    ports = services(f"{DEFAULTS}stack: {{listen: '::1'}}\n")["prometheus"]["ports"]
    assert ports == ["[::1]:9090:9090"]
    with pytest.raises(ConfigError, match="is not an IP address"):
        config_of("stack: {listen: localhost}")


def test_images_can_be_replaced_but_not_by_latest() -> None:
    assert services(SHORTENED)["grafana"]["image"] == "grafana/grafana:11.6.0"
    for image in ("grafana/grafana:latest", "grafana/grafana"):
        with pytest.raises(ConfigError):
            config_of(f"stack: {{images: {{grafana: '{image}'}}}}")


def test_an_alertmanager_that_is_older_than_its_file_is_refused() -> None:
    image = 'stack: {images: {alertmanager: "prom/alertmanager:v0.25.0"}}\n'
    with pytest.raises(ConfigError, match=r"stack\.images\.alertmanager: is older than alertmanager\.target_version"):
        config_of(image)
    assert config_of(image + 'alertmanager: {target_version: "0.25"}')


def test_two_services_on_one_port_are_refused() -> None:
    with pytest.raises(ConfigError, match="prometheus and api would both be open on port 9090"):
        stack_of(DEFAULTS + 'api: {listen: "127.0.0.1:9090"}')


def test_without_a_password_one_below_the_output_folder_is_mounted() -> None:
    for only in ((), [Part.COMPOSE]):
        files = render_stack(config_of(""), only=only, out_dir=DIRECTORY / "deploy").files
        content = read_yaml(files[COMPOSE_FILE])
        assert content["secrets"] == {"grafana_admin_password": {"file": "./secrets/grafana_admin_password"}}
        assert [secret["source"] for secret in content["services"]["grafana"]["secrets"]] == ["grafana_admin_password"]


def test_grafana_finds_its_provider_and_the_dashboards() -> None:
    mounts = dict(volume.split(":")[:2] for volume in services()["grafana"]["volumes"])
    assert mounts["./grafana/provisioning"] == "/etc/grafana/provisioning"
    assert mounts["./grafana/dashboards"] == DASHBOARDS_DIR
    assert not DASHBOARDS_DIR.startswith("/etc/grafana/provisioning")
    assert dashboard_provider(config_of(DEFAULTS))["providers"][0]["options"]["path"] == DASHBOARDS_DIR
    assert datasources(config_of(DEFAULTS))["datasources"][0]["url"] == "http://prometheus:9090"


@pytest.mark.parametrize(("section", "port"), [("prometheus", 9090), ("alertmanager", 9093)])
def test_links_begin_where_people_open_the_servers(section: str, port: int) -> None:
    """Paths stay as they are, which health checks, scrapes and Grafana rely on."""
    config = f"{DEFAULTS}{section}: {{url: 'https://mon.example.com/{section}'}}\n"
    for text, url in ((DEFAULTS, f"http://localhost:{port}"), (config, f"https://mon.example.com/{section}")):
        command = services(text)[section]["command"]
        assert [option for option in command if option.startswith("--web.")] == [
            f"--web.external-url={url}",
            "--web.route-prefix=/",
        ]


def test_no_dollar_names_a_variable() -> None:
    text = DEFAULTS.replace("}", ", root_url: 'http://g.example/$HOME'}")
    stack = stack_of(text)
    assert "http://g.example/$$HOME" in stack.files[COMPOSE_FILE]
    for path in COMPOSE_FILES:
        text = re.sub(r"\$\{FACEMON_[A-Z_]+:-[^}]*\}", "", stack.files[path])
        assert "$" not in text.replace("$$", "")


def test_the_textfile_folder_is_mounted() -> None:
    node = services(SHORTENED)["node-exporter"]
    assert "./textfile:/textfile:ro" in node["volumes"]
    assert "--collector.textfile.directory=/textfile" in node["command"]


def test_the_pushgateway_comes_with_its_job_unless_it_is_elsewhere() -> None:
    gateway = services(REPLICATED)["pushgateway"]
    assert gateway["ports"] == ["127.0.0.1:9091:9091"]
    folder = gateway["command"][0].removeprefix("--persistence.file=").rsplit("/", 1)[0]
    assert gateway["volumes"] == [f"pushgateway-data:{folder}"]
    assert "pushgateway" not in services()
    elsewhere = REPLICATED.replace("prometheus:\n", "prometheus:\n  targets: {pushgateway: ['push:9091']}\n", 1)
    assert "pushgateway" not in services(elsewhere)


def test_only_the_profile_starts_the_second_servers() -> None:
    found = services(REPLICATED)
    in_profile = {name for name, service in found.items() if service.get("profiles") == ["ha"]}
    assert in_profile == {"prometheus-2", "alertmanager-2", "alertmanager-3", "grafana-2"}
    assert all("profiles" not in service for name, service in found.items() if name not in in_profile)
    notes = stack_of(REPLICATED).notes
    assert any(all(name in note for name in (*in_profile, "--profile ha")) for note in notes)
    stored = [service["volumes"][-1].split(":")[0] for name, service in found.items() if name.startswith("prom")]
    assert stored == ["prometheus-data", "prometheus-2-data"]


def test_alertmanagers_are_peers_of_each_other_and_one_alone_opens_no_port_for_others() -> None:
    found = services(REPLICATED)
    clusters = {
        name: [option for option in found[name]["command"] if option.startswith("--cluster")]
        for name in ("alertmanager", "alertmanager-2", "alertmanager-3")
    }
    for name, options in clusters.items():
        others = [f"--cluster.peer={other}:9094" for other in clusters if other != name]
        assert options == ["--cluster.listen-address=0.0.0.0:9094", *others]
    assert services()["alertmanager"]["command"][-1] == "--cluster.listen-address="


def test_grafanas_share_a_database_that_nothing_else_reaches() -> None:
    content = compose(config_of(REPLICATED), DIRECTORY)
    found = content["services"]
    database = found["postgres"]
    assert content["networks"]["database"] == {"internal": True}
    assert {name for name, service in found.items() if "database" in service.get("networks", [])} == {
        "grafana", "grafana-2", "postgres",
    }  # fmt: skip
    for name in ("grafana", "grafana-2"):
        environment = found[name]["environment"]
        assert environment["GF_DATABASE_HOST"] == "postgres:6432"
        assert environment["GF_DATABASE_NAME"] == database["environment"]["POSTGRES_DB"] == "g"
        assert environment["GF_DATABASE_USER"] == database["environment"]["POSTGRES_USER"] == "u"
        assert found[name]["depends_on"]["postgres"] == {"condition": "service_healthy"}
    assert database["command"] == ["-p", "6432"]
    assert "ports" not in database


def test_a_database_elsewhere_is_not_brought() -> None:
    found = services(REPLICATED.replace("postgres:6432", "db.example:5432"))
    assert "postgres" not in found
    assert found["grafana-2"]["environment"]["GF_DATABASE_HOST"] == "db.example:5432"
    assert "postgres" not in found["grafana"]["depends_on"]


def test_each_prometheus_is_a_source_of_grafanas_data() -> None:
    first, second = datasources(config_of(REPLICATED))["datasources"]
    assert (first["url"], second["url"]) == ("http://prometheus:9090", "http://prometheus-2:9090")
    assert (first["isDefault"], second["isDefault"]) == (True, False)
    assert second["uid"] != first["uid"]
    assert second["name"] != first["name"]
