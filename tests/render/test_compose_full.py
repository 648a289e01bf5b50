from os.path import normpath
from pathlib import Path
from typing import Any

import pytest

from facemon.config.loader import load_config, parse_config
from facemon.render.stack import COMPOSE_FILE, FULL_COMPOSE_FILE, render_stack
from tests.read_yaml import read_yaml
from tests.render.configurations import DEFAULTS, DIRECTORY, REPLICATED, config_of, stack_of

OWN_MODEL = """
model:
  name: own
  version: "1"
  faces: {finder: yunet, weights: ../shared/yunet.onnx}
  networks:
    - {path: models/a.onnx, input: {name: in, size: [8, 8]}, attributes: [{name: a, output: a, kind: number}]}
    - path: /srv/models/b.onnx
      input: {name: in, size: [8, 8]}
      attributes: [{name: b, output: b, kind: number}]
store: {path: log}
"""


def full(text: str, out: Path | None = None) -> dict[str, Any]:
    content: dict[str, Any] = read_yaml(render_stack(config_of(text), out_dir=out).files[FULL_COMPOSE_FILE])
    return content


def mounts(service: dict[str, Any]) -> dict[str, str]:
    """Where each path of the machine is seen; those that may be written are marked."""
    return {
        f"{mount['source']}{'' if mount.get('read_only') else ' (rw)'}": mount["target"] for mount in service["volumes"]
    }


def test_it_adds_the_api_and_the_exporter_to_what_monitors() -> None:
    content = full(DEFAULTS)
    assert content["include"] == [{"path": COMPOSE_FILE, "env_file": ["monitoring/.env", "monitoring/full.env"]}]
    assert set(content["services"]) == {"api", "exporter"}
    assert {service["container_name"] for service in content["services"].values()} == {"mlops-api", "mlops-exporter"}


def test_they_listen_for_all_inside_and_on_loopback_outside() -> None:
    services = full(DEFAULTS)["services"]
    assert services["api"]["ports"] == ["127.0.0.1:8000:8000"]
    assert services["exporter"]["ports"] == ["127.0.0.1:8001:8001"]
    for service, port in (("api", 8000), ("exporter", 8001)):
        assert services[service]["command"][-1 if service == "exporter" else 4] == f"0.0.0.0:{port}"
        assert f"'127.0.0.1', {port}" in services[service]["healthcheck"]["test"][-1]


def test_the_configuration_decides_ports_workers_and_how_long_the_end_may_take() -> None:
    api = full(REPLICATED)["services"]["api"]
    assert api["ports"] == ["127.0.0.1:9000:9000"]
    assert "0.0.0.0:9000" in api["command"]
    assert api["command"][-2:] == ["--workers", "3"]
    assert api["deploy"]["resources"]["limits"]["cpus"] == "3"
    assert api["stop_grace_period"] == "100s"


def test_the_image_is_built_unless_another_is_named() -> None:
    api = full(DEFAULTS)["services"]["api"]
    assert api["image"].startswith("facemon:")
    assert api["build"] == {"context": "${FACEMON_SOURCE:-.}"}
    named = full(f"{DEFAULTS}stack: {{images: {{facemon: 'registry.example/facemon:7'}}}}")["services"]["exporter"]
    assert named["image"] == "registry.example/facemon:7"
    assert "build" not in named


def test_only_the_store_may_be_written_and_nothing_that_is_missing_is_made() -> None:
    for service in full(DEFAULTS)["services"].values():
        assert mounts(service) == {
            "./.facemon (rw)": "/srv/faces/.facemon",
            "./facemon.yaml": "/srv/faces/facemon.yaml",
        }
        assert all(mount["bind"] == {"create_host_path": False} for mount in service["volumes"])


def test_networks_are_seen_where_the_configuration_says_with_the_weights_in_their_folder() -> None:
    api = full(DEFAULTS + OWN_MODEL)["services"]["api"]
    assert mounts(api) == {
        "./log (rw)": "/srv/faces/log",
        "./facemon.yaml": "/srv/faces/facemon.yaml",
        "./models": "/srv/faces/models",
        "/srv/models": "/srv/models",
        "../shared": "/srv/shared",
    }


@pytest.mark.parametrize("path", ["a.onnx", "./a.onnx", "../a.onnx", "x/../a.onnx"])
def test_a_folder_that_holds_the_configuration_is_not_seen(path: str) -> None:
    api = full((DEFAULTS + OWN_MODEL).replace("models/a.onnx", path))["services"]["api"]
    sources = {mount["source"] for mount in api["volumes"]}
    assert {"./a.onnx", "../a.onnx"}.intersection(sources)
    assert not {".", "./", "..", "../", "./.", "./x"}.intersection(sources)


def test_the_command_looks_inside_for_what_is_mounted() -> None:
    text = DEFAULTS + OWN_MODEL
    outside = parse_config(text, name="facemon.yaml", directory=Path("/home/somebody/deploy"))
    api = read_yaml(render_stack(outside).files[FULL_COMPOSE_FILE])["services"]["api"]
    inside = parse_config(text, name="facemon.yaml", directory=Path(api["command"][1]).parent)
    folders = [Path(str(inside.model.faces.weights)).parent, *(each.path.parent for each in inside.model.networks)]
    looked_for = {normpath(str(path)) for path in (inside.store.path, *folders)}
    assert {*looked_for, api["command"][1]} == {mount["target"] for mount in api["volumes"]}


def test_it_is_found_from_another_output_folder() -> None:
    content = full(REPLICATED, DIRECTORY / "deploy")
    assert "../facemon.yaml" in mounts(content["services"]["api"])
    assert content["secrets"] == {"api_tokens": {"file": "../secrets/api_tokens"}}


def test_tokens_are_a_secret_of_the_api_alone() -> None:
    services = full(REPLICATED)["services"]
    assert services["api"]["secrets"] == [{"source": "api_tokens", "target": "/srv/faces/secrets/api_tokens"}]
    assert "secrets" not in services["exporter"]


def test_collectors_of_the_users_own_need_an_image_of_their_own() -> None:
    text = f"{DEFAULTS}exporter: {{collectors: ['m:C']}}\n"
    own_image = f"{text}stack: {{images: {{facemon: 'own:1'}}}}"
    for configuration, is_said in ((text, True), (own_image, False)):
        notes = stack_of(configuration).notes
        assert any("stack.images.facemon" in note for note in notes) == is_said


@pytest.mark.parametrize("name", ["faces.yaml", "a $b.yaml"])
def test_the_file_keeps_its_name(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(DEFAULTS)
    api = read_yaml(render_stack(load_config(file)).files[FULL_COMPOSE_FILE])["services"]["api"]
    assert api["command"][1] == f"/srv/faces/{name}".replace("$", "$$")
    assert api["volumes"][1]["source"] == f"./{name}".replace("$", "$$")
