"""`facemon.Monitor` on a real store, and what the commands say of what it logged."""

import json
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import facemon
from facemon.errors import FacemonError
from tests.conftest import RunFacemon
from tests.model.onnx_files import write_reducing_model

CONFIG = """\
version: 1
model:
  name: elsewhere
  version: "1"
  networks:
    - path: {model}
      input: {{name: input, size: [4, 4]}}
      attributes: [{{name: hair, output: hair, kind: categorical, labels: [a, b], activation: softmax}}]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    write_reducing_model(tmp_path / "m.onnx", {"hair": [[9, 0], [0, 9], [0, 0]]})
    (tmp_path / "facemon.yaml").write_text(CONFIG.format(model="m.onnx"))
    return tmp_path / "facemon.yaml"


def test_importing_facemon_loads_nothing_heavy() -> None:
    program = (
        "import facemon, sys; print(sorted({'numpy', 'pyarrow', 'pydantic'} & set(sys.modules)), facemon.__version__)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == f"[] {facemon.__version__}"
    with pytest.raises(AttributeError, match="Monitoring"):
        facemon.Monitoring  # noqa: B018


def test_every_kind_of_image(config: Path, tmp_path: Path, facemon: RunFacemon) -> None:
    from facemon import Monitor

    red = Image.new("RGB", (8, 8), (255, 0, 0))
    red.save(tmp_path / "red.png")
    content = (tmp_path / "red.png").read_bytes()
    images = [
        tmp_path / "red.png",
        str(tmp_path / "red.png"),
        content,
        red,
        np.asarray(red),
        ("mine", red),
        tmp_path / "no",
    ]
    with Monitor(config) as monitor:
        rows = monitor.predict(images, source="gate")
    assert rows.column("hair").to_pylist() == ["a"] * 6 + [None]
    assert rows.column("error").to_pylist() == [None] * 6 + ["unreadable"]
    assert rows.column("image").to_pylist()[2:6] == ["image-2", "image-3", "image-4", "mine"]
    assert set(rows.column("source").to_pylist()) == {"gate"}
    info = json.loads(facemon("store", "info", "--json", cwd=tmp_path).stdout)
    assert (info["rows"], info["unfinished_runs"]) == (7, 0)
    assert facemon("store", "verify", cwd=tmp_path).returncode == 0


def test_wrong_images_are_refused(config: Path, tmp_path: Path) -> None:
    from facemon import Monitor

    with pytest.raises(FacemonError, match="takes several images"):
        Monitor(config).predict("a.png")
    with pytest.raises(FacemonError, match="image 0 is a int"):
        Monitor(config).predict([5])


def test_predictions_made_elsewhere_reach_metrics_and_drift(config: Path, tmp_path: Path, facemon: RunFacemon) -> None:
    from facemon import Monitor

    # The model's file is not needed to log.
    (tmp_path / "m.onnx").unlink()
    monitor = Monitor(config)
    normal = [{"image": f"{index}", "hair": "ab"[index % 2], "hair_confidence": 0.9} for index in range(600)]
    assert monitor.log(normal, observed_at=datetime(2026, 11, 1, 12, tzinfo=UTC)) == 600
    changed = ({"image": f"{index}", "hair": "a", "hair_confidence": 0.9} for index in range(600))
    assert monitor.log(changed) == 600
    metrics = facemon("export-metrics", "-o", "-", cwd=tmp_path).stdout
    assert 'model_predictions_total{attribute="hair",model="elsewhere@1",value="a"} 900.0' in metrics
    assert 'images_processed_total{status="ok"} 1200.0' in metrics
    answer = facemon("reference", "set", "--since", "2026-11-01", "--until", "2026-11-02", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    (tmp_path / "facemon.yaml").write_text(CONFIG.format(model="m.onnx") + "drift: {cluster: none}\n")
    answer = facemon("drift-check", "--check", "model", cwd=tmp_path)
    assert answer.returncode == 3, answer.stdout + answer.stderr
    assert facemon("store", "verify", cwd=tmp_path).returncode == 0


def test_threads_log_side_by_side(config: Path, tmp_path: Path, facemon: RunFacemon) -> None:
    from facemon import Monitor

    monitor = Monitor(config)
    threads = [
        threading.Thread(target=lambda: [monitor.log([{"image": "x", "hair": "a"}]) for _ in range(10)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert json.loads(facemon("store", "info", "--json", cwd=tmp_path).stdout)["rows"] == 40
    assert facemon("store", "verify", cwd=tmp_path).returncode == 0


def test_what_was_written_before_a_wrong_row_stays(config: Path, tmp_path: Path, facemon: RunFacemon) -> None:
    from facemon import Monitor

    good, bad = {"image": ["a"], "hair": ["a"]}, {"image": ["b"], "hair": ["wrong"]}
    pa = pytest.importorskip("pyarrow")
    with pytest.raises(FacemonError, match="row 0: hair must be one of a, b"):
        Monitor(config).log([pa.table(good), pa.table(bad)])
    info = json.loads(facemon("store", "info", "--json", cwd=tmp_path).stdout)
    assert (info["rows"], info["unfinished_runs"]) == (1, 0)
