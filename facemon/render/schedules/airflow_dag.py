"""A DAG for Airflow 3: the check, a branch for each of its answers, and the retraining that the user named.

What comes from the configuration stands in constants at its top, written by repr; the rest is always the same.
"""

from collections.abc import Mapping

from facemon.config.document import Config
from facemon.errors import ExitCode
from facemon.render.schedules.place import Place

_IMPORTS = '''\
"""Checks for drift and branches on the answer: nothing to do, retraining, or a person who has to look."""

import subprocess

import pendulum
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, task

'''
_BODY = '''

with DAG(
    dag_id="DAG_ID",
    schedule=SCHEDULE,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    # Another try would find the same; after an error the next check comes at its time.
    default_args={"retries": 0},
    tags=["facemon"],
):

    @task
    def drift_check() -> dict:
        """Run the check; an exit code that is no answer fails the run."""
        outcome = subprocess.run(CHECK, stdout=subprocess.PIPE, text=True, check=False)
        print(outcome.stdout)
        if outcome.returncode not in BRANCHES:
            raise RuntimeError(f"drift-check ended with exit code {outcome.returncode}")
        return {"code": outcome.returncode, "result": outcome.stdout}

    @task.branch
    def decide(outcome: dict) -> str:
        """Choose the task that the answer asks for."""
        return BRANCHES[outcome["code"]]

    @task
    def retrain(outcome: dict) -> None:
        """Run the command for drift, in the configuration's folder, with facemon.drift/1 on its stdin."""
        subprocess.run(RETRAIN, cwd=FOLDER, input=outcome["result"], text=True, check=True)

    @task
    def undecided() -> None:
        """Fail the task: there are too few rows, or they could hide a shift."""
        raise RuntimeError("drift-check could not decide; its log says why")

    answer = drift_check()
    on_drift = retrain(answer) if RETRAIN else EmptyOperator(task_id="drift_found")
    decide(answer) >> [EmptyOperator(task_id="no_drift"), on_drift, undecided()]
'''


def dag_id(config: Config) -> str:
    """The DAG's name in Airflow, and its file's: with underscores, so that Python can import it."""
    return config.stack.named("facemon_drift", "_").replace("-", "_")


def airflow_dag(config: Config) -> str:
    """The content of the DAG's file, without the header."""
    place = Place.of(config)
    constants: Mapping[str, object] = {
        "SCHEDULE": config.schedule.drift_check,
        "CHECK": list(place.check("--format", "json")),
        "FOLDER": place.directory,
        "RETRAIN": list(config.schedule.retrain),
        "BRANCHES": {
            ExitCode.OK.value: "no_drift",
            ExitCode.FOUND.value: "retrain" if config.schedule.retrain else "drift_found",
            ExitCode.UNDECIDED.value: "undecided",
        },
    }
    return (
        _IMPORTS
        + "\n".join(f"{name} = {value!r}" for name, value in constants.items())
        + "\n"
        + _BODY.replace("DAG_ID", dag_id(config))
    )
