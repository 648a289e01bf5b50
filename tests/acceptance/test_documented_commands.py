"""Every console block of the documentation runs on a small store, or the test that does it instead is named here."""

import os
import re
import shlex
import shutil
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from facemon.config.document import Config
from facemon.config.loader import parse_config
from tests.conftest import RunFacemon
from tests.model.onnx_files import flat_image, write_reducing_model

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
OF_THEIR_OWN = {
    "many-machines.md": "tests/acceptance/test_many_machines_page.py",
    "tutorial.md": "tests/acceptance/test_tutorial.py",
    "set-ups.md": "tests/acceptance/test_set_ups.py",
}
"""Pages whose blocks a test of their own runs."""
PAGES = sorted(path for path in DOCS.rglob("*.md") if path.name not in OF_THEIR_OWN or path.parent != DOCS)
ELSEWHERE = {
    "FACEMON_SOURCE=": "tests/render/test_compose_full.py",
    "cp schedules/airflow": "tests/render/test_schedules_airflow.py",
    "curl ": "tests/acceptance/test_serve.py",
    "docker compose ": "tests/render/test_docker_compose.py",
    "export RAY_AUTH_MODE": "tests/schedulers/test_real_ray.py",
    "facemon doctor --prometheus": "tests/doctor/test_running_stack.py",
    "facemon drift-check --check evidently": "tests/acceptance/test_drift_check.py",
    "facemon manifest s3:": "tests/acceptance/test_frozen_manifest.py",
    "facemon predict - <": "tests/acceptance/test_predict.py",
    "facemon predict faces.parquet --engine ray": "tests/schedulers/test_real_ray.py",
    "facemon predict faces.parquet --shard": "tests/acceptance/test_delivered_shards.py",
    "facemon predict gs:": "tests/object_storage/test_object_store.py",
    "facemon predict november.parquet --engine ray": "tests/schedulers/test_real_ray.py",
    "facemon predict november.parquet --shard": "tests/acceptance/test_delivered_shards.py",
    "facemon predict photo.jpg": "tests/config/test_loader.py",
    "facemon predict s3:": "tests/acceptance/test_object_storage.py",
    "facemon predict shard-*.tar": "tests/predict/test_archives_everywhere.py",
    "facemon predict today.csv": "tests/predict/test_manifest.py",
    "facemon predict today.parquet": "tests/acceptance/test_object_storage.py",
    "facemon render-config --reload": "tests/acceptance/test_reload.py",
    "facemon render-config --verify --reload": "tests/acceptance/test_reload.py",
    "facemon serve-metrics": "tests/server/test_exporter_limits.py",
    "facemon serve": "tests/acceptance/test_serve.py",
    "facemon store collect s3:": "tests/acceptance/test_delivered_shards.py",
    "facemon -q store collect": "tests/acceptance/test_delivered_stores.py",
    "facemon -q store deliver": "tests/acceptance/test_delivered_stores.py",
    "facemon -q -c /etc/facemon.yaml export-metrics --pushgateway": "tests/acceptance/test_export_pushgateway.py",
    "facemon store deliver s3:": "tests/acceptance/test_delivered_stores.py",
    "facemon store recover": "tests/store/test_ledger_recovery.py",
    "find ": "tests/acceptance/test_frozen_manifest.py",
    "journalctl ": "tests/render/test_schedules_systemd.py",
    "pip install": "tools/smoke.py",
    "promtool ": "tests/render/test_alert_rules.py",
    "sh monitoring/": "tests/render/test_route_tests.py",
    "sudo cp schedules/cron": "tests/acceptance/test_schedules.py",
    "sudo cp schedules/systemd": "tests/render/test_schedules_systemd.py",
    "sudo facemon": "tests/config/test_trusted_file.py",
    "sudo systemctl": "tests/render/test_schedules_systemd.py",
    "systemctl ": "tests/render/test_schedules_systemd.py",
    "tar -xf": "tests/store/test_backup.py",
}
"""How lines begin that need a server, another machine or root, and the test that shows that they work."""
ENDS = {"drift-check": {0, 3, 4}, "doctor": {0, 3}, "model": {0, 3}}
"""The exit codes that are results, by command; all others end in 0."""
PLACES = {"/etc/facemon.yaml": "facemon.yaml", "/var/lib/node_exporter": "metrics", "/backups": "backups"}
MONTH = {"2026-11-01": timedelta(days=-2), "2026-12-01": timedelta(days=2)}
"""The month of the pages, as days around today: a report of the month after it would have no records."""
CONFIG = """\
version: 1
model:
  name: small
  version: "1"
  networks:
    - path: m.onnx
      input: {name: input, size: [4, 4]}
      attributes:
        - {name: gender, output: hair, kind: categorical, labels: [female, male], activation: softmax}
        - {name: age, output: age, kind: number}
"""
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
IMAGES = 120


def lines_of(language: str, block: str) -> list[str]:
    """The commands of a block, without comments."""
    patterns = {"console": r"^\$ (.*)$", "crontab": r"^(?:[\d*/,]+ ){5}(.*)$", "sh": r"^(\w.*)$"}
    found = re.findall(patterns[language], block, re.MULTILINE) if language in patterns else []
    return [re.sub(r"\s+# .*", "", line).rstrip() for line in found]


def commands_of(page: Path) -> list[tuple[str, str]]:
    """Each command of a page, with the configuration that stands before it."""
    found, configuration = [], ""
    for language, block in BLOCK.findall(page.read_text("utf-8")):
        if language == "yaml":
            configuration = block if is_configuration(block) else configuration
        found += [(line, configuration) for line in lines_of(language, block)]
    return found


def is_configuration(block: str) -> bool:
    """Whether a block of YAML is a part of facemon.yaml."""
    content = yaml.safe_load(block)
    return isinstance(content, dict) and content.keys() <= Config.model_fields.keys()


def elsewhere(line: str) -> str | None:
    """How a line begins that another test runs."""
    return next((start for start in ELSEWHERE if line.startswith(start)), None)


@pytest.fixture(scope="module")
def logged(facemon: RunFacemon, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photographs of the last day, their log, labels, tables and a reference."""
    folder = tmp_path_factory.mktemp("documented")
    write_reducing_model(folder / "m.onnx", {"hair": [[9, 0], [0, 9], [0, 0]], "age": [[60], [30], [0]]})
    (folder / "facemon.yaml").write_text(f"{CONFIG}drift: {{min_rows: 20, evidently: {{when: never}}}}\n")
    for name in ("photos", "metrics", "backups", "audit"):
        (folder / name).mkdir(mode=0o755)
    rows = []
    for number in range(IMAGES):
        female = number * 7 % 10 < 5
        path = flat_image(
            folder / "photos" / f"{number:03}.png", (250 - number, 0, 0) if female else (0, 250 - number, 0)
        )
        taken = time.time() - 20 * 3600 * (1 - number / IMAGES)
        os.utime(path, (taken, taken))
        rows.append(f"photos/{number:03}.png,{'female' if female else 'male'},{number % 60},{number / 7:.3f}")
    shutil.copyfile(folder / "photos" / "000.png", folder / "door.jpg")
    for name in ("labels.csv", "train.csv", "today.csv"):
        (folder / name).write_text("\n".join(["image,gender,age,brightness", *rows]) + "\n")
    for source in ("entrance", "gate"):
        done = facemon("-q", "predict", "photos", "--source", source, "--observed-at", "mtime", cwd=folder)
        assert done.returncode == 0, done.stderr
    for command in (
        ["set", "--since", "24h", "--name", "first-day"],
        ["set", "train.csv", "--kind", "labels", "--name", "known"],
    ):
        done = facemon("-q", "reference", *command, cwd=folder)
        assert done.returncode == 0, done.stderr
    done = facemon("-q", "drift-check", "--exit-zero", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_every_command_of_a_page_runs(facemon: RunFacemon, logged: Path, open_folder: Path, page: Path) -> None:
    here = [(line, configuration) for line, configuration in commands_of(page) if elsewhere(line) is None]
    if not here:
        return
    # A textfile must lie where node-exporter can read it.
    folder = open_folder / "documented"
    shutil.copytree(logged, folder, symlinks=True)
    folder.chmod(0o755)
    if "first-day" in page.read_text("utf-8") and any(line.startswith("facemon reference set") for line, _ in here):
        shutil.rmtree(folder / ".facemon")
        done = facemon("-q", "predict", "photos", "--source", "gate", "--observed-at", "mtime", cwd=folder)
        assert done.returncode == 0, done.stderr
    for line, configuration in here:
        run(facemon, line, configuration, folder)


def run(facemon: RunFacemon, line: str, configuration: str, folder: Path) -> None:
    """Run a command of a page in a folder; what it renders follows the configuration that stands before it."""
    words = shlex.split(line)
    assert words[0] == "facemon", f"{line}: run it here, or name in ELSEWHERE the test that does"
    for place, ours in PLACES.items():
        words = [word.replace(place, ours) for word in words]
    for day, offset in MONTH.items():
        words = [word.replace(day, f"{datetime.now(UTC) + offset:%Y-%m-%d}") for word in words]
    command = next(word for word in words[1:] if not word.startswith("-") and word != "facemon.yaml")
    if command == "render-config" and configuration:
        (folder / "page.yaml").write_text(CONFIG + re.sub(r"(?m)^version: .*\n", "", configuration), "utf-8")
        words[1:1] = ["-c", "page.yaml"]
    done = facemon(*words[1:], cwd=folder)
    said = f"{line}: {done.returncode}\n{done.stderr}"
    assert done.returncode in ENDS.get(command, {0}), said
    assert "Traceback" not in done.stderr, said


def test_every_line_that_another_test_runs_is_there_and_so_is_the_test() -> None:
    begun = {elsewhere(line) for page in PAGES for line, _ in commands_of(page)}
    assert set(ELSEWHERE) - begun == set()
    named: Mapping[str, str] = ELSEWHERE | OF_THEIR_OWN
    assert [test for test in named.values() if not (ROOT / test).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_every_configuration_of_a_page_is_read(page: Path) -> None:
    for language, block in BLOCK.findall(page.read_text("utf-8")):
        if language == "yaml" and is_configuration(block) and "model" not in yaml.safe_load(block):
            parse_config(block, name=page.name, directory=Path())
