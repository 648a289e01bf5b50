"""The CronJob, held against Kubernetes' own schemas, and what its policies make of each exit code."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from facemon.config.document import Config
from facemon.errors import ConfigError
from tests.read_yaml import read_all_yaml
from tests.render.scheduled import ODD, rendered, scheduled

OLDEST, NEWEST = "1.31", "1.37"
"""podFailurePolicy is stable from the first on; the second is the newest with a schema here."""


def documents(config: Config) -> list[dict[str, Any]]:
    return list(read_all_yaml(rendered(config)["drift-check.yaml"]))


def job(config: Config) -> dict[str, Any]:
    spec: dict[str, Any] = documents(config)[1]["spec"]["jobTemplate"]["spec"]
    return spec


def action(code: int) -> str:
    """What the failure policy does with a pod that ended with this code: the first rule that matches decides."""
    for rule in job(scheduled("kubernetes"))["podFailurePolicy"]["rules"]:
        codes = rule.get("onExitCodes")
        if codes and codes["operator"] == "In" and code in codes["values"]:
            return str(rule["action"])
    return "Count"


@pytest.mark.slow
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_the_schemas_of_kubernetes_accept_it(version: str, linters: Path, tmp_path: Path) -> None:
    def validate(text: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "job.yaml").write_text(text, encoding="utf-8")
        options = ["--strict", "-k", version, str(tmp_path / "job.yaml")]
        command = [str(linters / "python/bin/python"), "-m", "kubernetes_validate", *options]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    text = rendered(scheduled("kubernetes", store=ODD))["drift-check.yaml"]
    outcome = validate(text)
    assert (outcome.returncode, outcome.stdout.count(" passed ")) == (0, 2), outcome.stdout
    assert validate(text.replace("operator: In", "operatr: In")).returncode == 1


def test_an_answer_is_final_and_an_error_is_tried_again() -> None:
    assert {code: action(code) for code in (1, 2, 3, 4, 75)} == {
        1: "Count", 2: "FailJob", 3: "FailJob", 4: "FailJob", 75: "Count"
    }  # fmt: skip
    spec = job(scheduled("kubernetes"))
    # Without this the policy is refused.
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert spec["backoffLimit"] > 0


def test_one_check_at_a_time_in_utc() -> None:
    spec = documents(scheduled("kubernetes", drift_check="5,35 0-6/2 1 1-12 1-5"))[1]["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == (
        "5,35 0-6/2 1 1-12 1-5", "Etc/UTC", "Forbid"
    )  # fmt: skip


def test_it_has_no_more_rights_than_it_needs() -> None:
    pod = job(scheduled("kubernetes"))["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}
    }  # fmt: skip


def test_the_store_and_the_configuration_are_where_the_container_looks() -> None:
    config = scheduled("kubernetes", store="log")
    claim, _ = documents(config)
    pod = job(config)["template"]["spec"]
    (container,) = pod["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    variables = {variable["name"]: variable["value"] for variable in container["env"]}
    # A store beside the configuration lies beside it in the container too.
    assert mounts["store"] == "/srv/faces/log"
    assert mounts["configuration"] == variables["FACEMON_CONFIG"] == "/srv/faces/facemon.yaml"
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]


def test_the_image_can_be_named() -> None:
    image = "registry.example/facemon:1.2"
    config = scheduled("kubernetes").model_copy(
        update={"stack": scheduled().stack.model_copy(update={"images": {"facemon": image}})}
    )
    assert job(config)["template"]["spec"]["containers"][0]["image"] == image


def test_a_store_that_no_volume_can_be_mounted_at_is_refused() -> None:
    with pytest.raises(ConfigError, match="which has a colon"):
        rendered(scheduled("kubernetes", store="/srv/a:b"))


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("facemon.yaml", "facemon.yaml"),
        ("b.yaml", "facemon.yaml=b.yaml"),
        ("my 'b'.yaml", """'facemon.yaml=my '"'"'b'"'"'.yaml'"""),
    ],
)
def test_the_config_map_is_made_of_the_file_that_was_rendered(name: str, source: str) -> None:
    shards = {"manifest": "/manifests/m.parquet", "claim": "manifests", "number": 4, "deliver": "s3://logs/m/"}
    config = scheduled("kubernetes", shards=shards).model_copy(update={"file_name": Path(name)})
    for path, text in rendered(config).items():
        made = [line for line in text.splitlines() if "kubectl create configmap" in line]
        assert [line.endswith(f" facemon --from-file={source}") for line in made] == [True], path
