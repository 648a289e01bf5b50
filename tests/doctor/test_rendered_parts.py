"""Of a stack of which `render-config --only` left parts out, the doctor looks at what was rendered."""

from pathlib import Path

import pytest

from facemon.render.output_tree import MANIFEST
from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.doctor.healthy import diagnosis

AREAS = ("rendered files", "secrets")


@pytest.mark.slow
def test_parts_that_were_left_out_are_not_missing(facemon: RunFacemon, tmp_path: Path) -> None:
    write_small_model(tmp_path)
    assert facemon("-q", "render-config", "--only", "prometheus,runbooks", cwd=tmp_path).returncode == 0
    found = diagnosis(facemon, tmp_path)
    assert [each for each in found["findings"] if each["area"] in AREAS] == []
    left_out = "parts of the stack that render-config --only left out: alertmanager, grafana, compose, schedules"
    assert left_out in str(found)
    assert not [each for each in found["findings"] if "docker" in each["command"]], "there is no compose file"

    (tmp_path / "monitoring/prometheus/prometheus.yml").unlink()
    (missing,) = [each for each in diagnosis(facemon, tmp_path)["findings"] if each["area"] in AREAS]
    assert missing["evidence"] == "monitoring/prometheus/prometheus.yml"
    command = missing["command"].split("  #")[0].replace(" --reload", "").split()
    assert command[:2] == ["facemon", "render-config"]
    assert facemon("-q", *command[1:], cwd=tmp_path).returncode == 0
    assert [each for each in diagnosis(facemon, tmp_path)["findings"] if each["area"] in AREAS] == []
    assert not (tmp_path / "monitoring/grafana").exists()


@pytest.mark.slow
def test_a_part_that_was_rendered_and_is_gone_is_missing(facemon: RunFacemon, tmp_path: Path) -> None:
    write_small_model(tmp_path)
    assert facemon("-q", "render-config", cwd=tmp_path).returncode == 0
    for path in (tmp_path / "monitoring/alertmanager").rglob("*.yml"):
        path.unlink()
    found = diagnosis(facemon, tmp_path)["findings"]
    assert "monitoring/alertmanager/alertmanager.yml" in str([each["evidence"] for each in found])
    (tmp_path / MANIFEST).write_text("{}")
    found = diagnosis(facemon, tmp_path)["findings"]
    assert "is not a manifest that facemon wrote" in str([each["what"] for each in found])
