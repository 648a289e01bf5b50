"""The Indexed Job of shards: by Kubernetes' own schemas, what each exit code does, and what its shell runs."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.shard import Shard
from facemon.errors import ConfigError
from facemon.render.stack import Part
from tests.read_yaml import read_all_yaml
from tests.render.configurations import stack_of
from tests.render.scheduled import rendered, scheduled
from tests.render.test_schedules_kubernetes import NEWEST, OLDEST

MANIFEST = "/manifests/november.parquet"
SHARDS: dict[str, Any] = {
    "manifest": MANIFEST, "claim": "manifests", "number": 256, "deliver": "s3://logs/november/",
}  # fmt: skip


def job(**more: Any) -> dict[str, Any]:
    (found,) = read_all_yaml(rendered(scheduled("kubernetes", shards={**SHARDS, **more}))["predict-shards.yaml"])
    spec: dict[str, Any] = found["spec"]
    return spec


def container(**more: Any) -> dict[str, Any]:
    (found,) = job(**more)["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_the_schemas_of_kubernetes_accept_it(version: str, linters: Path, tmp_path: Path) -> None:
    config = scheduled("kubernetes", shards={**SHARDS, "secret": "storage", "service_account": "predictor"})
    text = rendered(config)["predict-shards.yaml"]
    command = [str(linters / "python/bin/python"), "-m", "kubernetes_validate", "--strict", "-k", version]
    for content, code in ((text, 0), (text.replace("backoffLimitPerIndex", "backoffLimitPerIndx"), 1)):
        (tmp_path / "job.yaml").write_text(content, encoding="utf-8")
        outcome = subprocess.run([*command, tmp_path / "job.yaml"], capture_output=True, text=True, check=False)
        assert outcome.returncode == code, outcome.stdout


def test_without_shards_there_is_no_such_file() -> None:
    assert "predict-shards.yaml" not in rendered(scheduled("kubernetes"))


def test_a_wrong_job_fails_at_once_and_other_errors_are_tried_again_by_shard() -> None:
    spec = job(retries=5, parallelism=300)
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 256, 256)
    assert spec["backoffLimitPerIndex"] == 5
    fails, ignores = spec["podFailurePolicy"]["rules"]
    assert (fails["action"], fails["onExitCodes"]["values"]) == ("FailJob", [2])
    assert ignores["action"] == "Ignore"
    assert spec["template"]["spec"]["restartPolicy"] == "Never", "or the policy is refused"


def test_credentials_are_named_and_never_held() -> None:
    assert container(secret="storage")["envFrom"] == [{"secretRef": {"name": "storage"}}]
    assert "envFrom" not in container()
    assert job(service_account="predictor")["template"]["spec"]["serviceAccountName"] == "predictor"


def test_it_has_no_more_rights_than_it_needs() -> None:
    pod = job()["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container()["securityContext"]["readOnlyRootFilesystem"] is True
    assert {mount["name"]: mount.get("readOnly", False) for mount in container()["volumeMounts"]} == {
        "manifest": True, "configuration": True, "tmp": False
    }  # fmt: skip


OWN_MODEL = """
model:
  name: faces
  version: "1"
  faces: {{finder: yunet, weights: {folder}finder.onnx}}
  networks:
    - path: {folder}a.onnx
      input: {{name: x, size: [8, 8]}}
      attributes: [{{name: beard, output: b, kind: binary, labels: ["no", "yes"]}}]
"""


@pytest.mark.parametrize(
    ("rest", "named"),
    [
        (OWN_MODEL.format(folder="models/"), ["/srv/faces/models/a.onnx", "/srv/faces/models/finder.onnx"]),
        (OWN_MODEL.format(folder="/opt/models/"), ["/opt/models/a.onnx", "/opt/models/finder.onnx"]),
        (OWN_MODEL.format(folder="/manifests/"), []),
        (OWN_MODEL.format(folder="models/") + 'stack: {images: {facemon: "faces:1"}}', []),
        ("model: {bundle: age-gender}", []),
    ],
)
def test_files_of_the_model_that_no_volume_holds_are_told(rest: str, named: list[str]) -> None:
    schedule = json.dumps({"targets": ["kubernetes"], "shards": SHARDS})
    notes = stack_of(f"schedule: {schedule}\n{rest}", Part.SCHEDULES).notes
    assert [f"holds {', '.join(named)}: set stack.images.facemon" in note for note in notes] == [True] * bool(named)


@given(
    index=st.integers(0, 255),
    word=st.text(st.characters(max_codepoint=0x2FF, exclude_categories=["Cs", "Cc"], exclude_characters=":/"),
                 min_size=1, max_size=20).filter(lambda word: word not in (".", "..")),
)  # fmt: skip
def test_the_shell_hands_on_each_word_as_it_is(index: int, word: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A real shell runs the container's command, with a facemon that prints what it was given."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "facemon").write_text('#!/bin/sh\nprintf "%s\\0" "$@"\n')
    (folder / "facemon").chmod(0o755)
    command = container(manifest=f"/manifests/{word}", cpus=2)["command"]
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "JOB_COMPLETION_INDEX": str(index)}
    outcome = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert outcome.stdout.decode().split("\0")[:-1] == [
        "predict", f"/manifests/{word}", "--deliver", "s3://logs/november/", "--threads", "2",
        # Or a pod with an unreadable image would be tried again, although its shard is delivered.
        "--max-failures", "100%", "--shard", str(Shard(index + 1, 256)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"manifest": "november.parquet"}, {"manifest": "/november.parquet"}, {"manifest": "/a:b/n.parquet"},
        {"manifest": "/manifests/../etc/x.parquet"}, {"manifest": "/tmp/x.parquet"}, {"number": 0},
        {"number": 100_001}, {"deliver": "file:///log/"}, {"deliver": "s3://key:secret@logs/"}, {"claim": "A_b"},
        {"memory": "2"}, {"retries": -1}, {"secret": "a b"},
    ],
)  # fmt: skip
def test_what_kubernetes_or_the_pods_would_refuse_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        rendered(scheduled("kubernetes", shards={**SHARDS, **wrong}))


def test_shards_are_for_kubernetes() -> None:
    with pytest.raises(ConfigError, match="is for kubernetes, which targets does not name"):
        scheduled("cron", shards=json.loads(json.dumps(SHARDS)))
