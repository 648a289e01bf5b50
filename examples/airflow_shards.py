"""Predict a manifest in shards by mapped tasks of Airflow 3: freeze the inputs, one task for each shard, collect.

Each worker of Airflow needs `facemon[object-storage]`, the model, the credentials of the storage, and FOLDER on a file
system that all of them mount. The task `collect` runs where the store is: give it a queue of that machine, if there are
several. Set the constants, copy this file to the DAGs of Airflow, and start it:

    $ airflow dags trigger facemon_shards

A run of the DAG is a job of its own, with a manifest that no retry changes. Exit code 1 of a shard is tried again by
Airflow, and a shard that is delivered is not predicted again. Exit code 2 (a wrong configuration, another job in the
log) fails the task at once. `collect` runs also when shards have failed: it registers the others, and fails with exit
code 3; its log names the missing ones. Clear the failed tasks to go on.

Airflow maps up to 1,024 tasks (`max_map_length`), and grows slow from some hundred: choose SHARDS so that a shard takes
some minutes, and below 500.
"""

import subprocess
from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

FACEMON = ["facemon", "--config", "/srv/facemon/facemon.yaml"]
FOLDER = "/srv/facemon/manifests"
INPUTS = ["s3://faces/2026-11/"]
LOG = "s3://logs/faces/"
SHARDS = 64
AT_ONCE = 8
USAGE = 2
"""The exit code after which another attempt ends so, too."""


def facemon(command: str, *words: str) -> None:
    """Run a command; what it says is in the log of the task."""
    line = [*FACEMON, *command.split(), *words]
    code = subprocess.run(line, check=False).returncode
    if code == USAGE:
        raise AirflowFailException(f"facemon {command} ended with exit code {code}")
    if code:
        raise RuntimeError(f"facemon {command} ended with exit code {code}")


with DAG(
    dag_id="facemon_shards",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    tags=["facemon"],
):

    @task
    def freeze() -> str:
        """Write the manifest of this run, unless an earlier attempt did: all shards must have the same one."""
        begun = get_current_context()["dag_run"].run_after
        manifest = f"{FOLDER}/faces-{begun:%Y%m%dT%H%M%S}.parquet"
        if not Path(manifest).exists():
            facemon("manifest", *INPUTS, "-o", manifest)
        return manifest

    @task(max_active_tis_per_dag=AT_ONCE)
    def predict(manifest: str, shard: int) -> None:
        """Predict one shard and deliver it. Images that cannot be read are rows, which another attempt has again."""
        facemon("predict", manifest, "--shard", f"{shard}/{SHARDS}", "--deliver", LOG, "--max-failures", "100%")

    # Another attempt would find the same shards missing.
    @task(trigger_rule="all_done", retries=0)
    def collect() -> None:
        """Register what was delivered in the store of this machine."""
        facemon("store collect", LOG)

    predict.partial(manifest=freeze()).expand(shard=list(range(1, SHARDS + 1))) >> collect()
