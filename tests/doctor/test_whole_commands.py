"""Remedies mend what was looked at when they are copied: another configuration, another folder of the stack."""

import shlex
from pathlib import Path

import pytest

from facemon.doctor.whole_commands import Place
from tests.conftest import RunFacemon
from tests.doctor.healthy import diagnosis

COMPOSE = "docker compose -f docker-compose.full.yml up -d api"
RENDER, RELOAD = "facemon render-config", "facemon render-config --reload"
AMTOOL = "amtool check-config monitoring/alertmanager/alertmanager.yml"


@pytest.mark.parametrize(
    ("place", "command", "whole"),
    [
        (Place(), "facemon store repair", "facemon store repair"),
        (Place(), COMPOSE, COMPOSE),
        (Place(Path("/etc/f.yaml")), "facemon store repair", "facemon -c /etc/f.yaml store repair"),
        (Place(Path("a b.yaml")), "facemon predict PATH", "facemon -c 'a b.yaml' predict PATH"),
        (Place(Path("f.yaml")), "start it", "start it"),
        (Place(Path("f.yaml")), "pip install evidently", "pip install evidently"),
        (Place(out=Path("x y")), "facemon render-config --diff", "facemon render-config --out 'x y' --diff"),
        (Place(only=("runbooks",)), "facemon render-config --prune", "facemon render-config --only runbooks --prune"),
        (Place(only=("runbooks",)), "facemon store repair", "facemon store repair"),
        (Place(out=Path("s")), "facemon store repair", "facemon store repair"),
        (Place(out=Path("s")), COMPOSE, "docker compose -f s/docker-compose.full.yml up -d api"),
        (Place(out=Path("s")), AMTOOL, "amtool check-config s/monitoring/alertmanager/alertmanager.yml"),
        (
            Place(Path("f.yaml"), Path("s")),
            "facemon render-config --reload",
            "facemon -c f.yaml render-config --out s --reload",
        ),
    ],
)
def test_options_of_the_look_are_repeated(place: Place, command: str, whole: str) -> None:
    assert place.whole(command) == whole


@pytest.mark.parametrize(
    ("place", "part", "whole"),
    [
        (Place(), "prometheus", RELOAD),
        (Place(edited=frozenset(["prometheus"])), "", RELOAD),
        (Place(edited=frozenset(["prometheus"])), "prometheus", f"{RENDER} --only prometheus --force --reload"),
        (Place(edited=frozenset(["grafana"])), "prometheus", f"{RENDER} --only prometheus --reload"),
        (
            Place(Path("f.yaml"), Path("s"), frozenset(["alertmanager"])),
            "alertmanager",
            "facemon -c f.yaml render-config --out s --only alertmanager --force --reload",
        ),
        (Place(only=("prometheus", "grafana")), "", f"{RENDER} --only prometheus,grafana --reload"),
        (Place(only=("prometheus", "grafana")), "alertmanager", f"{RENDER} --only alertmanager --reload"),
        (
            Place(told=frozenset(["alertmanager"])),
            "prometheus",
            f"{RENDER}  # then let Prometheus read its files, by SIGHUP; stack.reload lets --reload do that",
        ),
    ],
)
def test_edited_files_and_servers_that_are_not_told(place: Place, part: str, whole: str) -> None:
    """render-config keeps an edited file without --force, ends with 1, and then reloads nothing."""
    assert place.whole(RELOAD, part) == whole


@pytest.mark.slow
def test_a_copied_remedy_acts_upon_the_configured_store(facemon: RunFacemon, healthy: Path, tmp_path: Path) -> None:
    """The look and its remedy run in a folder whose own configuration, if any, is another one."""
    config = (healthy / "facemon.yaml").rename(healthy / "other name.yaml")
    config.write_text(config.read_text() + "store: {mode: group}\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    options = ("-c", config)
    (finding,) = diagnosis(facemon, elsewhere, *options)["findings"]
    assert finding["what"] == "the permissions of the store are not those of the configuration"
    program, *words = shlex.split(finding["command"])
    assert program == "facemon"
    assert facemon(*words, cwd=elsewhere).returncode == 0
    assert diagnosis(facemon, elsewhere, *options)["findings"] == []


def of_servers(facemon: RunFacemon, folder: Path) -> tuple[list[str], list[str]]:
    """What is found of API and exporter, and how what is not looked at begins."""
    areas = [area for area in diagnosis(facemon, folder)["areas"] if area["area"] in ("ML API", "exporter")]
    names = {area["area"] for area in areas}
    found = [each["what"] for each in diagnosis(facemon, folder)["findings"] if each["area"] in names]
    return found, [what.partition(" at ")[0] for area in areas for what in area["not_looked_at"]]


@pytest.mark.slow
def test_no_compose_file_is_named_where_none_was_rendered(facemon: RunFacemon, tmp_path: Path) -> None:
    """A new user has the defaults, whose stack is the full one, and has not rendered it: batch jobs need no server."""
    assert of_servers(facemon, tmp_path) == ([], ["the ML API: nothing listens", "the exporter: nothing listens"])
    (tmp_path / "facemon.yaml").write_text("version: 1\nschedule: {targets: [cron]}\n")
    assert facemon("-q", "render-config", "--only", "schedules", cwd=tmp_path).returncode == 0
    assert of_servers(facemon, tmp_path)[0] == []
    (tmp_path / "facemon.yaml").write_text("version: 1\nstack: {for: monitoring}\n")
    starts = [each["command"] for each in diagnosis(facemon, tmp_path)["findings"] if "does not answer" in each["what"]]
    assert starts == ["facemon serve", "facemon serve-metrics"]
    (tmp_path / "facemon.yaml").unlink()
    assert facemon("-q", "render-config", "--out", "stack", cwd=tmp_path).returncode == 0
    found = diagnosis(facemon, tmp_path, "--out", "stack")["findings"]
    starts = [each["command"] for each in found if "does not answer" in each["what"]]
    assert starts == [f"docker compose -f stack/docker-compose.full.yml up -d {name}" for name in ("api", "exporter")]
