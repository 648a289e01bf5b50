import re
from typing import Any

import pytest

from facemon.errors import ConfigError
from facemon.render.secret_files import all_secrets
from facemon.render.stack import COMPOSE_FILE, FULL_COMPOSE_FILE, render_stack
from tests.read_yaml import read_yaml
from tests.render.configurations import CONFIGURATIONS, DEFAULTS, DIRECTORY, REPLICATED, SHORTENED, config_of, stack_of

EVERYTHING = f"""{REPLICATED}stack: {{secrets_dir: /etc/secrets/}}
""".replace(
    "receivers: [",
    """smtp: {smarthost: "mail:587", from: a@b.example, username: u, password_file: secrets/smtp}
  receivers: [{name: all, pagerduty: [{routing_key_file: secrets/pager}], teams: [{webhook_url_file: secrets/teams}],
    webhook: [{url_file: secrets/hook, bearer_token_file: secrets/hook token}]}, """,
)
READERS = {"prometheus": "prometheus/prometheus.yml", "alertmanager": "alertmanager/alertmanager.yml"}
ALL = {**CONFIGURATIONS, "everything": EVERYTHING}


def mounted(service: dict[str, Any]) -> set[str]:
    return {secret["target"] for secret in service.get("secrets", [])}


def named_files(content: Any) -> set[str]:
    """What the keys of a configuration that end in `_file` name, however deep they stand."""
    if isinstance(content, dict):
        own = {value for key, value in content.items() if key.endswith("_file") and isinstance(value, str)}
        return own.union(*map(named_files, content.values()))
    return set().union(*map(named_files, content)) if isinstance(content, list) else set()


@pytest.mark.parametrize("text", ALL.values(), ids=ALL)
def test_every_secret_that_a_rendered_file_names_is_mounted_where_it_is_looked_for(text: str) -> None:
    files = stack_of(text).files
    services = read_yaml(files[COMPOSE_FILE])["services"]
    for name, service in services.items():
        kind = re.sub(r"-\d$", "", name)
        environment = service.get("environment", {})
        wanted = {path for key, path in environment.items() if key.endswith("_FILE")}
        if kind in READERS:
            wanted |= named_files(read_yaml(files[f"monitoring/{READERS[kind]}"]))
        assert wanted <= mounted(service), name
    assert mounted(services["grafana"]), "its password at least"


@pytest.mark.parametrize("text", ALL.values(), ids=ALL)
def test_every_secret_of_the_configuration_is_mounted_in_something_and_defined_once(text: str) -> None:
    config = config_of(text)
    files = render_stack(config).files
    monitoring, full = (read_yaml(files.get(path, "services: {}")) for path in (COMPOSE_FILE, FULL_COMPOSE_FILE))
    services = {**monitoring["services"], **full["services"]}
    used = {secret["source"] for service in services.values() for secret in service.get("secrets", [])}
    assert not set(monitoring["secrets"]).intersection(full.get("secrets", {}))
    assert used == {*monitoring["secrets"], *full.get("secrets", {})}
    assert len(used) == len(all_secrets(config))


def test_every_kind_of_secret_is_mounted() -> None:
    services = read_yaml(stack_of(EVERYTHING).files[COMPOSE_FILE])["services"]
    remote = {"write", "ca.pem", "cert.pem", "the-key.pem"}
    told = {"smtp", "pager", "teams", "hook", "hook-token", "slack"}
    assert mounted(services["prometheus-2"]) == {f"/etc/secrets/{name}" for name in remote}
    assert mounted(services["alertmanager-3"]) == {f"/etc/secrets/{name}" for name in told}
    assert mounted(services["grafana-2"]) == {"/run/secrets/grafana", "/run/secrets/database"}
    assert mounted(services["postgres"]) == {"/run/secrets/database"}


def test_a_secret_of_two_services_is_mounted_in_both() -> None:
    text = SHORTENED.replace("secrets/remote", "secrets/smtp")
    services = read_yaml(stack_of(text).files[COMPOSE_FILE])["services"]
    for service in ("prometheus", "alertmanager"):
        assert "/run/secrets/smtp" in mounted(services[service])


def test_a_secret_is_found_where_it_lies() -> None:
    secrets = read_yaml(stack_of(SHORTENED).files[COMPOSE_FILE])["secrets"]
    assert secrets["slack"] == {"file": "../secrets/slack"}
    assert secrets["token"] == {"file": "/etc/token"}


def test_a_secret_is_found_from_another_output_folder() -> None:
    stack = render_stack(config_of(DEFAULTS), out_dir=DIRECTORY / "deploy")
    secrets = read_yaml(stack.files[COMPOSE_FILE])["secrets"]
    assert secrets == {"grafana_admin_password": {"file": "../../secrets/grafana_admin_password"}}


@pytest.mark.parametrize(
    ("first", "second"), [("a/token", "b/token"), ("secrets/the key", "the-key"), ("secrets/..", "token")]
)
def test_two_secrets_of_one_name_and_one_without_a_name_are_refused(first: str, second: str) -> None:
    remotes = "".join(f"{{url: 'https://{file[0]}', bearer_token_file: {file}}}, " for file in (first, second))
    with pytest.raises(ConfigError, match=r"would both be mounted as|names no file"):
        stack_of(f"prometheus: {{remote_write: [{remotes}]}}")
