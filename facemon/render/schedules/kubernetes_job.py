"""A Kubernetes CronJob for the check, and the claim for the volume that holds the log."""

from shlex import quote
from typing import Any

from facemon.config.document import Config
from facemon.errors import ConfigError, ExitCode
from facemon.render.compose_full import FOLDER
from facemon.render.container import image_of
from facemon.render.schedules.place import Place

CONTAINER = "facemon"
_USER = 10001
"""The image's own."""

_COMPONENT = "drift-check"
CONFIG_KEY = "facemon.yaml"
"""The configuration's name in its ConfigMap."""

_ABOUT = """\
The volume has to be a disk of its node, for the log's SQLite does not work on network file systems.
Exit code 3 is drift and 4 undecided: the Job fails at once, with this code in its message, as it does with 2, a wrong
configuration, because another try would answer the same. After any other code it is tried again, twice.
"""


def config_map(config: Config) -> str:
    """The name of the ConfigMap."""
    return config.stack.named("facemon")


def labels(component: str, config: Config) -> dict[str, str]:
    """Return what objects are found by, and their pods."""
    found = {"app.kubernetes.io/name": "facemon", "app.kubernetes.io/component": component}
    return found if config.stack.name is None else {**found, "app.kubernetes.io/instance": config.stack.name}


def config_map_line(config: Config) -> str:
    """How the ConfigMap is made; the file may have another name here than the pods look for."""
    name = config.file_name.name
    source = CONFIG_KEY if name == CONFIG_KEY else f"{CONFIG_KEY}={name}"
    command = f"kubectl create configmap {config_map(config)} --from-file={quote(source)}"
    return f"The configuration comes from a ConfigMap: {command}\n"


def about_check(config: Config) -> str:
    """Return what a person has to know before the CronJob is applied."""
    return config_map_line(config) + _ABOUT


def volume_claim(config: Config) -> dict[str, Any]:
    """The claim; what predicts and what exports use the same one."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": _claim(config), "labels": labels(_COMPONENT, config)},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}},
    }


def cron_job(config: Config) -> dict[str, Any]:
    """The CronJob; ConfigError for a log that no volume can be mounted at."""
    marks = labels(_COMPONENT, config)
    answers = [ExitCode.FOUND.value, ExitCode.UNDECIDED.value]
    job = {
        "backoffLimit": 2,
        "activeDeadlineSeconds": 3600,
        "podFailurePolicy": {
            "rules": [
                _fail_on(answers),
                _fail_on([ExitCode.USAGE.value]),
                # A node that is drained is not a failure of the check.
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            ]
        },
        "template": {"metadata": {"labels": marks}, "spec": _pod(config)},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        # Its Jobs add eleven characters to a name, of which there may be 63.
        "metadata": {"name": config.stack.named("facemon-drift-check"), "labels": marks},
        "spec": {
            "schedule": config.schedule.drift_check,
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 3600,
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {"metadata": {"labels": marks}, "spec": job},
        },
    }


def pod_rights() -> dict[str, Any]:
    """Return whose rights the containers of a pod have: those of the image's own user."""
    return {
        "runAsNonRoot": True,
        "runAsUser": _USER,
        "runAsGroup": _USER,
        "fsGroup": _USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_rights() -> dict[str, Any]:
    """Return what a container may do: nothing beyond what its user may, and no writing outside its volumes."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def _claim(config: Config) -> str:
    return config.stack.named("facemon-store")


def _fail_on(codes: list[int]) -> dict[str, Any]:
    return {"action": "FailJob", "onExitCodes": {"containerName": CONTAINER, "operator": "In", "values": codes}}


def _pod(config: Config) -> dict[str, Any]:
    return {
        # Only pods that never restart are judged by their exit codes.
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod_rights(),
        "containers": [_container(config)],
        "volumes": [
            {"name": "store", "persistentVolumeClaim": {"claimName": _claim(config)}},
            {"name": "configuration", "configMap": {"name": config_map(config)}},
            {"name": "tmp", "emptyDir": {}},
        ],
    }


def _container(config: Config) -> dict[str, Any]:
    place = Place.of(config, FOLDER)
    config_file = f"{FOLDER}/{CONFIG_KEY}"
    if ":" in place.store:
        raise ConfigError(
            f"schedule.targets: kubernetes cannot mount a volume at {place.store!r}, which has a colon",
            hint="name another store.path",
        )
    return {
        "name": CONTAINER,
        "image": image_of("facemon", config),
        "command": ["facemon", "drift-check", *place.choice, "--format", "json"],
        "env": [
            {"name": "FACEMON_CONFIG", "value": config_file},
            {"name": "HOME", "value": "/tmp"},  # noqa: S108 - inside the container
        ],
        "securityContext": container_rights(),
        "resources": {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"memory": "4Gi"}},
        "volumeMounts": [
            {"name": "store", "mountPath": place.store},
            {"name": "configuration", "mountPath": config_file, "subPath": CONFIG_KEY, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - inside the container
        ],
    }
