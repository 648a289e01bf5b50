"""Schedules are rendered for the schedulers that are named, and only then."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import get_args

import pytest
from hypothesis import given

from facemon.config.schedule import Target
from facemon.errors import ConfigError
from facemon.render.output_tree import Change, ChangeKind, plan, write
from facemon.render.schedules.place import Place
from facemon.render.stack import Part, part_of, render_stack
from tests.golden.render.regenerate import kept
from tests.read_yaml import read_all_yaml
from tests.render.configurations import SCHEDULES, config_of, stack_of
from tests.render.scheduled import FOLDERS, ODD, PLAIN, scheduled

GOLDEN = Path(__file__).parent.parent / "golden" / "render"
PATHS = {
    ".github/workflows/monitoring.yml",
    "schedules/airflow/facemon_drift.py",
    "schedules/cron/facemon",
    "schedules/kubernetes/drift-check.yaml",
    "schedules/systemd/facemon-drift-check.service",
    "schedules/systemd/facemon-drift-check.timer",
}


def test_the_schedules_are_the_golden_ones() -> None:
    files = stack_of(SCHEDULES, Part.SCHEDULES).files
    assert set(files) == PATHS
    for path, text in files.items():
        assert kept(text) == (GOLDEN / path).read_text(encoding="utf-8"), path


def test_each_target_renders_its_own_files() -> None:
    found = {target: set(render_stack(scheduled(target), only=[Part.SCHEDULES]).files) for target in get_args(Target)}
    assert set().union(*found.values()) == PATHS
    assert sum(map(len, found.values())) == len(PATHS)


def test_without_targets_nothing_is_rendered() -> None:
    stack = stack_of("")
    assert Part.SCHEDULES in stack.parts
    assert not any(part_of(path) is Part.SCHEDULES for path in stack.files)
    with pytest.raises(ConfigError, match=r"schedule\.targets: names no scheduler"):
        stack_of("", Part.SCHEDULES)


def test_only_the_rendered_workflow_is_ours() -> None:
    assert all(part_of(path) is Part.SCHEDULES for path in PATHS)
    with pytest.raises(ValueError, match="workflows"):
        part_of(".github/workflows/build.yml")


def test_files_of_a_target_that_is_gone_are_pruned(tmp_path: Path) -> None:
    def changes(*targets: Target) -> Sequence[Change]:
        return plan(render_stack(scheduled(*targets)), tmp_path)

    workflow = ".github/workflows/monitoring.yml"
    write(changes("cron", "github"), tmp_path)
    (tmp_path / ".github/workflows/build.yml").write_text("theirs\n")
    assert [change.path for change in changes("cron") if change.kind is ChangeKind.STALE] == [workflow]
    assert write(changes("cron"), tmp_path, prune=True).pruned == (workflow,)
    assert (tmp_path / ".github/workflows/build.yml").exists()
    assert (tmp_path / "schedules/cron/facemon").exists()


def test_a_folder_of_this_machine_is_told() -> None:
    def notes(text: str) -> str:
        return " ".join(stack_of(text, Part.SCHEDULES).notes)

    assert "set schedule.directory" in notes("schedule: {targets: [cron]}")
    assert "schedule.directory" not in notes("schedule: {targets: [cron], directory: /srv/faces}")
    assert "schedule.directory" not in notes("schedule: {targets: [kubernetes]}")


def test_checks_that_are_rarer_than_the_alerts_expect_are_told() -> None:
    def notes(text: str) -> str:
        return " ".join(stack_of(text, Part.SCHEDULES).notes)

    weekly = 'schedule: {targets: [kubernetes], drift_check: "0 2 * * 1"}'
    assert "up to 7d between two checks" in notes(weekly)
    assert notes(f"{weekly}\nalerts: {{DriftCheckStale: {{threshold: 8d}}}}") == ""
    assert notes("schedule: {targets: [kubernetes]}") == ""


EXPORT = "export: {textfile: /t/f.prom}"
RARE = 'export: {textfile: /t/f.prom, times: "0 */6 * * *"}'


@pytest.mark.parametrize(
    ("schedule", "rest", "note"),
    [
        ("targets: [cron]", "stack: {for: pushgateway}", "nothing that is rendered runs export-metrics"),
        ("targets: [kubernetes]", "stack: {for: pushgateway}", ""),
        (f"targets: [cron], {EXPORT}", "", "has the store's series twice"),
        (f"targets: [systemd], {EXPORT}", "stack: {for: textfile}", ""),
        (f"targets: [systemd], {RARE}", "stack: {for: textfile}", "up to 6h between two exports"),
        (f"targets: [cron], {RARE}", "stack: {for: textfile}\nalerts: {ExportStale: {threshold: 8h}}", ""),
    ],
)
def test_what_prometheus_expects_of_the_store_and_does_not_get_is_told(schedule: str, rest: str, note: str) -> None:
    config = config_of(f"schedule: {{directory: /srv/faces, {schedule}}}\n{rest}")
    notes = " ".join(render_stack(config, only=[Part.SCHEDULES]).notes)
    assert note in notes
    assert bool(note) == bool(notes)


@pytest.mark.parametrize(
    ("export", "message"),
    [
        ("{}", "schedule.export: needs a textfile or a pushgateway, and not both"),
        ("{textfile: /t/f.prom, pushgateway: 'http://p:9091'}", "needs a textfile or a pushgateway, and not both"),
        (
            "{textfile: /t/f.prom, user: x, password_file: /p}",
            "schedule.export.user: is for a push, not for a textfile",
        ),
        ("{textfile: /t/f.txt}", "schedule.export.textfile"),
        ("{textfile: f.prom}", "schedule.export.textfile"),
        ("{textfile: /t/.prom}", "schedule.export.textfile"),
        ("{textfile: /f.prom}", "schedule.export.textfile"),
        ('{textfile: "/t/a\\nb.prom"}', "schedule.export.textfile"),
        ('{pushgateway: "http://p:9091", user: "x\\n* * * * * root id", password_file: /p}', "schedule.export.user"),
        (
            "{pushgateway: 'http://p:9091', user: 'a:b', password_file: /p}",
            "schedule.export.user: must be a name without",
        ),
        ("{pushgateway: 'http://p:9091/?a=b'}", "schedule.export.pushgateway: must be http://HOST:9091"),
        ("{pushgateway: 'http://p:9091/a@b'}", "schedule.export.pushgateway"),
        ("{pushgateway: 'http://p\xfc:9091'}", "schedule.export.pushgateway: must be http://HOST:9091"),
        ("{pushgateway: 'http://p:9091', ca_file: /c}", "schedule.export.ca_file: is for https"),
        ("{pushgateway: 'http://p:9091', user: x}", "needs user and password_file together"),
        ("{pushgateway: 'http://u:p@p:9091'}", "schedule.export.pushgateway"),
        ("{pushgateway: 'http://p:9091', times: nightly}", "schedule.export.times"),
        (
            "{pushgateway: 'http://p:9091', user: x, password_file: /p, token_file: /t}",
            "schedule.export.token_file: is another way than user and password_file",
        ),
    ],
)
def test_an_export_that_cannot_be_is_refused(export: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        config_of(f"schedule: {{targets: [cron], export: {export}}}")


def test_exports_without_a_scheduler_that_runs_them_are_refused() -> None:
    with pytest.raises(ConfigError, match="export: is for cron and systemd, which targets does not name"):
        config_of("schedule: {targets: [kubernetes], export: {textfile: /t/f.prom}}")


def test_a_store_moves_with_the_configuration_that_it_lies_beside() -> None:
    def store(path: str) -> str:
        return Place.of(scheduled("cron", store=path, directory="/opt/faces/")).store

    assert store(".facemon") == "/opt/faces/.facemon"
    assert store("../log") == "/opt/log"
    assert store(".") == "/opt/faces"
    assert store("/var/lib/facemon") == "/var/lib/facemon"
    assert store("/srv/faces/log") == "/srv/faces/log"


def test_without_a_directory_paths_are_those_of_here() -> None:
    place = Place.of(config_of("schedule: {targets: [cron]}"))
    assert (place.config_file, place.store) == ("/srv/faces/facemon.yaml", "/srv/faces/.facemon")


@given(FOLDERS)
def test_every_path_survives_the_yaml_of_kubernetes(folder: str) -> None:
    store = f"{folder.replace(':', '')}/log"
    text = dict(render_stack(scheduled("kubernetes", store=store), only=[Part.SCHEDULES]).files)
    _, job = read_all_yaml(text["schedules/kubernetes/drift-check.yaml"])
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["volumeMounts"][0] == {"name": "store", "mountPath": Place.of(scheduled(store=store)).store}


def test_odd_paths_are_taken_by_every_target() -> None:
    config = scheduled(*get_args(Target), directory=ODD, command=PLAIN, store="log", retrain=[ODD])
    assert len(render_stack(config, only=[Part.SCHEDULES]).files) == len(PATHS)
    assert PurePosixPath(Place.of(config).store) == PurePosixPath(ODD) / "log"


@pytest.mark.parametrize(("checks", "options"), [(["model"], " --check model"), (["model", "data"], "")])
def test_the_check_that_is_scheduled_is_the_one_that_runs(checks: list[str], options: str) -> None:
    files = render_stack(scheduled(*get_args(Target), checks=checks), only=[Part.SCHEDULES]).files
    for path in PATHS - {"schedules/systemd/facemon-drift-check.timer"}:
        # YAML and Python write one word a line, or in a list.
        words = " ".join(re.findall(r"-*[\w/$]+(?:-\w+)*", files[path]))
        assert f"drift-check{options} " in f"{words} ", path
        assert ("--check" in words) is bool(options), path
