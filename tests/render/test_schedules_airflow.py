"""The DAG, run by Airflow itself with each exit code of the check."""

import ast
import json
import os
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.config.document import Config
from facemon.render.schedules.place import Place
from tests.conftest import ROOT
from tests.render.github_runner import install
from tests.render.scheduled import ODD, TEXTS, WORDS, rendered, scheduled

AIRFLOW = ROOT / ".tools/peers/airflow/bin/airflow"
FACEMON = """\
#!/bin/sh
printf '%s|' "$@" >> {folder}/called
echo '{{"verdict": "a \\\\"verdict\\\\""}}'
exit $(cat {folder}/code)
"""
RETRAIN = '#!/bin/sh\n{ pwd; echo "$@"; cat; } > retrained\n'
UNREACHED = {"decide": "upstream_failed", "no_drift": "upstream_failed", "undecided": "upstream_failed"}


def dag_of(config: Config) -> str:
    return rendered(config)["facemon_drift.py"]


def constants(dag: str) -> dict[str, object]:
    """What stands at the top of the DAG, read without running anything."""
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(dag).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }


@given(WORDS, st.lists(TEXTS, max_size=3))
def test_every_text_is_read_back_and_none_is_code(word: str, retrain: list[str]) -> None:
    config = scheduled("airflow", directory=f"/srv/{word}", command=f"/opt/{word}", retrain=retrain)
    place, found = Place.of(config), constants(dag_of(config))
    assert found["CHECK"] == [place.command, "--config", place.config_file, "drift-check", "--format", "json"]
    assert (found["FOLDER"], found["RETRAIN"], found["SCHEDULE"]) == (f"/srv/{word}", retrain, "0 2 * * *")
    # But for its constants the DAG is always the same.
    assert _code(dag_of(config)) == _code(dag_of(scheduled("airflow")))


def _code(dag: str) -> str:
    tree = ast.parse(dag)
    tree.body = [node for node in tree.body if not isinstance(node, ast.Assign)]
    return ast.dump(tree)


@dataclass(frozen=True)
class Airflow:
    """An Airflow with a database and a folder of DAGs of its own."""

    home: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.home / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
        }
        return subprocess.run([AIRFLOW, *words], env=environment, capture_output=True, text=True, check=False)

    def test(self, dag: str, name: str = "facemon_drift") -> dict[str, str]:
        """Run the DAG once: each task's state, and under `run` the run's; of mapped tasks the last one's."""
        (self.home / f"dags/{name}.py").write_text(dag, encoding="utf-8")
        outcome = self.run("dags", "test", name)
        with closing(sqlite3.connect(self.home / "airflow.db")) as database:
            number, run, state = database.execute("SELECT id, run_id, state FROM dag_run ORDER BY id DESC").fetchone()
            tasks = database.execute("SELECT task_id, state FROM task_instance WHERE run_id = ?", (run,)).fetchall()
        assert number > 0, outcome.stderr
        return {"run": state, **dict(tasks)}


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Airflow:
    if not AIRFLOW.exists():
        pytest.skip("Airflow is not in .tools/peers: make peers")
    airflow = Airflow(tmp_path_factory.mktemp("airflow"))
    (airflow.home / "dags").mkdir()
    migrated = airflow.run("db", "migrate")
    assert migrated.returncode == 0, migrated.stderr
    return airflow


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / ODD.removeprefix("/srv/")
    install(place / "facemon", FACEMON.format(folder=tmp_path))
    install(place / "retrain.sh", RETRAIN)
    return place


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "states"),
    [
        (
            0,
            {
                "run": "success",
                "decide": "success",
                "no_drift": "success",
                "retrain": "skipped",
                "undecided": "skipped",
            },
        ),
        (
            3,
            {
                "run": "success",
                "decide": "success",
                "no_drift": "skipped",
                "retrain": "success",
                "undecided": "skipped",
            },
        ),
        (4, {"run": "failed", "decide": "success", "no_drift": "skipped", "retrain": "skipped", "undecided": "failed"}),
        (1, {"run": "failed", "drift_check": "failed", "retrain": "upstream_failed", **UNREACHED}),
    ],
)
def test_each_exit_code_takes_its_branch(
    code: int, states: dict[str, str], airflow: Airflow, place: Path, tmp_path: Path
) -> None:
    (tmp_path / "code").write_text(str(code))
    command, retrain = str(place / "facemon"), ["./retrain.sh", "--now", 'a "b" {{ ds }}']
    dag = dag_of(scheduled("airflow", directory=str(place), command=command, retrain=retrain))
    assert airflow.test(dag) == {"drift_check": "success", **states}
    assert (tmp_path / "called").read_text() == f"--config|{place}/facemon.yaml|drift-check|--format|json|"
    retrained = place / "retrained"
    assert retrained.exists() == (code == 3)
    if code == 3:
        folder, words, document = retrained.read_text().splitlines()
        assert (folder, words) == (str(place), '--now a "b" {{ ds }}')
        assert json.loads(document) == {"verdict": 'a "verdict"'}


@pytest.mark.slow
def test_without_a_command_drift_ends_in_a_task_that_does_nothing(
    airflow: Airflow, place: Path, tmp_path: Path
) -> None:
    (tmp_path / "code").write_text("3")
    states = airflow.test(dag_of(scheduled("airflow", command=str(place / "facemon"))))
    assert (states["run"], states["drift_found"], states["no_drift"]) == ("success", "success", "skipped")
    assert "retrain" not in states


@pytest.mark.slow
def test_the_stacks_of_one_airflow_have_a_dag_each(airflow: Airflow, place: Path, tmp_path: Path) -> None:
    (tmp_path / "code").write_text("0")
    config = scheduled("airflow", directory=str(place), command=str(place / "facemon"))
    airflow.test(dag_of(scheduled("airflow", command="/bin/false")))
    named = config.model_copy(update={"stack": config.stack.model_copy(update={"name": "north-1"})})
    (text,) = rendered(named).values()
    assert airflow.test(text, "facemon_drift_north_1")["run"] == "success"
    with closing(sqlite3.connect(airflow.home / "airflow.db")) as database:
        found = {name for (name,) in database.execute("SELECT dag_id FROM dag_run")}
    assert found == {"facemon_drift", "facemon_drift_north_1"}
