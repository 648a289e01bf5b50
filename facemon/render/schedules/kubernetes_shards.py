"""A Kubernetes Indexed Job that predicts the shards of a manifest: each pod one shard, tried again by itself."""

import posixpath
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from facemon.config.document import Config
from facemon.config.schedule import ShardsConfig
from facemon.errors import ConfigError, ExitCode
from facemon.render.compose_full import FOLDER, in_container, model_files
from facemon.render.container import image_of
from facemon.render.schedules.kubernetes_job import (
    CONFIG_KEY,
    CONTAINER,
    config_map,
    config_map_line,
    container_rights,
    labels,
    pod_rights,
)

_COMMAND = 'exec facemon predict "$@" --shard "$((JOB_COMPLETION_INDEX + 1))/{number}"'
"""What the shell adds: Kubernetes counts from 0. All that the configuration names comes as arguments, not as script."""

_ABOUT = """\
Each pod mounts the volume with the manifest, read only; images that are not in object storage must lie there too.
Networks of your own must be in the container image, or lie on this volume, with absolute paths in facemon.yaml.
Credentials come from the Secret or the service account that schedule.shards names.
Exit code 2, a wrong configuration or another job in the log, fails the Job at once. After another code the shard is
tried again. Images that cannot be read are rows with an error, and do not fail a pod. A shard that is delivered is not
predicted again: to go on, delete the Job and apply it once more.
Retries are counted for each shard (backoffLimitPerIndex): Kubernetes 1.33, as beta since 1.29.
"""


def about_shards(config: Config) -> str:
    """Return what a person has to know before the Job is applied."""
    return config_map_line(config) + _ABOUT


def shards_job(config: Config, shards: ShardsConfig) -> dict[str, Any]:
    """Return the Job; ConfigError for a manifest that the pods cannot mount beside the configuration."""
    folder = posixpath.dirname(shards.manifest)
    if posixpath.normpath(shards.manifest) != shards.manifest or folder in ("/tmp", FOLDER):  # noqa: S108 - of pods
        raise ConfigError(
            f"schedule.shards.manifest: no volume can be mounted at {folder!r}",
            hint="name a folder of its own, such as /manifests",
        )
    marks = labels("predict-shards", config)
    codes = {"containerName": CONTAINER, "operator": "In", "values": [ExitCode.USAGE.value]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": config.stack.named("facemon-predict-shards"), "labels": marks},
        "spec": {
            "completionMode": "Indexed",
            "completions": shards.number,
            "parallelism": min(shards.parallelism, shards.number),
            # One bad shard does not stop the others; the Job has failed at the end.
            "backoffLimitPerIndex": shards.retries,
            "podFailurePolicy": {
                "rules": [
                    {"action": "FailJob", "onExitCodes": codes},
                    # A node that is drained is not a failure of the shard.
                    {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                ]
            },
            "template": {"metadata": {"labels": marks}, "spec": _pod(config, shards)},
        },
    }


def missing_files_notes(config: Config, shards: ShardsConfig) -> Iterator[str]:
    """Name the files of the model that no volume brings into the pods, unless an image of the user's own may."""
    folder = posixpath.dirname(shards.manifest)
    needed = [in_container(path, config) for path in model_files(config)]
    missing = [path for path in needed if not PurePosixPath(path).is_relative_to(folder)]
    if missing and "facemon" not in config.stack.images:
        yield (
            f"no volume of the pods of schedule.shards holds {', '.join(missing)}: set stack.images.facemon to an "
            f"image with all files of the model, or name these by absolute paths below {folder}, where the manifest is"
        )


def _pod(config: Config, shards: ShardsConfig) -> dict[str, Any]:
    account = {} if shards.service_account is None else {"serviceAccountName": shards.service_account}
    return {
        "restartPolicy": "Never",
        # Cloud storage takes the token of a service account from a volume of its own.
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        **account,
        "securityContext": pod_rights(),
        "containers": [_container(config, shards)],
        "volumes": [
            {"name": "manifest", "persistentVolumeClaim": {"claimName": shards.claim, "readOnly": True}},
            {"name": "configuration", "configMap": {"name": config_map(config)}},
            {"name": "tmp", "emptyDir": {}},
        ],
    }


def _container(config: Config, shards: ShardsConfig) -> dict[str, Any]:
    config_file = f"{FOLDER}/{CONFIG_KEY}"
    # Images that cannot be read are delivered as rows: another attempt would find the shard delivered.
    words = [shards.manifest, "--deliver", shards.deliver, "--threads", str(shards.cpus), "--max-failures", "100%"]
    secret = {} if shards.secret is None else {"envFrom": [{"secretRef": {"name": shards.secret}}]}
    return {
        "name": CONTAINER,
        "image": image_of("facemon", config),
        "command": ["/bin/sh", "-c", _COMMAND.format(number=shards.number), "facemon", *words],
        "env": [
            {"name": "FACEMON_CONFIG", "value": config_file},
            {"name": "HOME", "value": "/tmp"},  # noqa: S108 - inside the container
        ],
        **secret,
        "securityContext": container_rights(),
        "resources": {
            "requests": {"cpu": str(shards.cpus), "memory": shards.memory},
            "limits": {"memory": shards.memory},
        },
        "volumeMounts": [
            {"name": "manifest", "mountPath": posixpath.dirname(shards.manifest), "readOnly": True},
            {"name": "configuration", "mountPath": config_file, "subPath": CONFIG_KEY, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - inside the container
        ],
    }
