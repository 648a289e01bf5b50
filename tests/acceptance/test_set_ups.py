"""The configurations of docs/set-ups.md are rendered, checked by promtool and amtool, and run by real servers.

They are unedited, but for the list of attributes of the last one, which the page shortens.
"""

import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RunFacemon
from tests.patience import wait_until
from tests.read_yaml import read_yaml
from tests.servers import amtool, run_alertmanager, run_prometheus
from tests.short_form import some_of

PAGE = (Path(__file__).parents[2] / "docs" / "set-ups.md").read_text("utf-8")
FILES = {
    (title, name): text
    for title, part in (section.split("\n", 1) for section in PAGE.split("\n## ")[1:])
    for name, text in re.findall(r"```yaml\n# (\S+)\n(.*?)```", part, re.DOTALL)
}
"""The configurations, by set-up and by the name of their file."""
OWN_API, TWO_PLACES, ONE_HOST, TWO_MODELS, CAMERAS = dict.fromkeys(title for title, _ in FILES)
CASES = [pytest.param(title, name, id=f"{title[:24]}-{name}") for title, name in FILES]
AND_SO_ON = "        # and so on: `facemon init --model faces.onnx` writes all of them\n"
"""Where the last set-up leaves out 39 of its 40 attributes."""
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def rendered(facemon: RunFacemon, folder: Path, title: str, name: str, servers: Path | None = None) -> Path:
    """The folder that a configuration of the page is rendered into; promtool and amtool judge it if they are given."""
    more = "".join(
        f'        - {{name: a{number}, output: o{number}, kind: binary, labels: ["no", "yes"]}}\n'
        for number in range(39)
    )
    text = FILES[title, name]
    assert (AND_SO_ON in text) == (title == CAMERAS)
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text.replace(AND_SO_ON, more), encoding="utf-8")
    out = folder / f"out-{name.replace('/', '-')}"
    verify = ["--verify"] if servers is not None else []
    env = {"PATH": f"{servers}/usr/bin:/usr/bin:/bin"}
    done = facemon("-c", name, "render-config", "--out", out, *verify, cwd=folder, env=env)
    assert done.returncode == 0, done.stderr
    return out


def asked(url: str) -> Any:
    """The answer of a server's API."""
    with _direct.open(url) as answer:
        return json.load(answer)


@pytest.mark.servers
@pytest.mark.slow
@pytest.mark.long_proof
@pytest.mark.parametrize(("title", "name"), CASES)
def test_it_is_loaded_unedited(
    facemon: RunFacemon, each_generation: Path, tmp_path: Path, title: str, name: str
) -> None:
    out = rendered(facemon, tmp_path, title, name)
    configuration = out / "monitoring" / "prometheus" / "prometheus.yml"
    routes = out / "monitoring" / "alertmanager" / "alertmanager.yml"
    files = [yaml_of(path) for path in sorted(configuration.parent.glob("*_rules.yml"))]
    named = {
        rule.get("alert") or rule["record"] for file in files for group in file["groups"] for rule in group["rules"]
    }
    jobs = {job["job_name"] for job in yaml_of(configuration)["scrape_configs"]}
    with (
        run_alertmanager(each_generation, routes, tmp_path / "alertmanager") as alertmanager,
        run_prometheus(each_generation, configuration, tmp_path / "prometheus") as prometheus,
    ):
        wait_until(lambda: {rule["health"] for rule in rules_of(prometheus.url)} == {"ok"}, "every rule is evaluated")
        assert {rule["name"] for rule in rules_of(prometheus.url)} == named
        # A Prometheus looks for its targets some seconds after its start, and may evaluate rules before.
        wait_until(lambda: jobs_of(prometheus.url) == jobs, f"the jobs {sorted(jobs)} have targets")
        receivers = {receiver["name"] for receiver in asked(f"{alertmanager.url}/api/v2/receivers")}
    assert receivers >= {receiver["name"] for receiver in yaml_of(routes)["receivers"]}


@pytest.mark.servers
@pytest.mark.slow
@pytest.mark.long_proof
def test_the_tools_accept_it_unedited(facemon: RunFacemon, servers: Path, tmp_path: Path, at_length: bool) -> None:
    # promtool needs ten seconds of processor time for the tests of the rules of each.
    for number, (title, name) in enumerate(some_of(list(FILES), len(FILES), at_length)):
        rendered(facemon, tmp_path / str(number), title, name, servers)


def rules_of(url: str) -> list[Mapping[str, Any]]:
    """The rules that a Prometheus has loaded."""
    groups = asked(f"{url}/api/v1/rules")["data"]["groups"]
    return [rule for group in groups for rule in group["rules"]]


def jobs_of(url: str) -> set[str]:
    """The jobs of the targets that a Prometheus scrapes."""
    targets = asked(f"{url}/api/v1/targets")["data"]["activeTargets"]
    return {target["labels"]["job"] for target in targets}


def yaml_of(path: Path) -> Any:
    """A rendered file."""
    return read_yaml(path.read_text("utf-8"))


@pytest.mark.servers
@pytest.mark.parametrize(
    ("title", "name", "labels", "receiver"),
    [
        (TWO_PLACES, "north/facemon.yaml", "alertname=DriftVerdict site=south", "south"),
        (TWO_PLACES, "north/facemon.yaml", "alertname=DriftVerdict site=north", "north"),
        (CAMERAS, "facemon.yaml", "alertname=SourceDrift source=camera-3", "north"),
        (CAMERAS, "facemon.yaml", "alertname=SourceSilent source=camera-8", "south"),
        (CAMERAS, "facemon.yaml", "alertname=DriftVerdict", "models"),
        (OWN_API, "facemon.yaml", "alertname=HighErrorRate", "faces"),
        (ONE_HOST, "facemon.yaml", "alertname=TextfileStale", "team"),
    ],
)
def test_an_alert_reaches_its_team(
    facemon: RunFacemon, servers: Path, tmp_path: Path, title: str, name: str, labels: str, receiver: str
) -> None:
    routes = rendered(facemon, tmp_path, title, name) / "monitoring" / "alertmanager" / "alertmanager.yml"
    test = amtool(servers, "config", "routes", "test", f"--config.file={routes}", *labels.split())
    assert test.stdout.split() == [receiver]


def test_stacks_on_one_host_share_nothing(facemon: RunFacemon, tmp_path: Path) -> None:
    first = rendered(facemon, tmp_path, TWO_MODELS, "a.yaml")
    second = rendered(facemon, tmp_path, TWO_MODELS, "other-team/facemon.yaml")
    compose = [yaml_of(out / "monitoring" / "docker-compose.monitoring.yml") for out in (first, second)]
    ports, names, volumes = (
        [set(each(content)) for content in compose]
        for each in (published, lambda content: [content["name"]], lambda content: content.get("volumes", {}))
    )
    for one, other in (ports, names):
        assert one
        assert not one & other
    # Compose puts the project's name before those of volumes.
    assert all(volumes)


def test_crontabs_of_one_host_have_the_names_that_the_page_gives_them(facemon: RunFacemon, tmp_path: Path) -> None:
    found = [
        path.name
        for name in ("a.yaml", "b.yaml", "other-team/facemon.yaml")
        for path in (rendered(facemon, tmp_path / name, TWO_MODELS, name) / "schedules" / "cron").iterdir()
    ]
    named = re.search(r"`/etc/cron.d`: they are called (.*?)\.", PAGE, re.DOTALL)
    assert named
    assert found == re.findall(r"`([\w-]+)`", named[1])


def published(compose: Mapping[str, Any]) -> list[str]:
    """The ports of the host that a compose file opens."""
    return [str(port) for service in compose["services"].values() for port in service.get("ports", [])]


def test_what_a_set_up_has_no_use_for_is_left_out(facemon: RunFacemon, tmp_path: Path) -> None:
    own = rendered(facemon, tmp_path / "own", OWN_API, "facemon.yaml")
    host = rendered(facemon, tmp_path / "host", ONE_HOST, "facemon.yaml")
    assert not list(own.glob("**/docker-compose*.yml"))
    assert not list(host.glob("**/docker-compose*.yml"))
    units = sorted(path.name for path in (host / "schedules" / "systemd").iterdir())
    assert units == [
        f"facemon-{what}.{kind}" for what in ("drift-check", "export-metrics") for kind in ("service", "timer")
    ]


def test_the_units_are_accepted_by_systemd(facemon: RunFacemon, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    host = rendered(facemon, tmp_path, ONE_HOST, "facemon.yaml")
    timers = sorted((host / "schedules" / "systemd").glob("*.timer"))
    done = subprocess.run(["systemd-analyze", "verify", *timers], capture_output=True, text=True, check=False)
    # The command is not installed where the service would look for it.
    lines = [line for line in done.stderr.splitlines() if "is not executable" not in line]
    assert not [line for line in lines if "facemon" in line], done.stderr
