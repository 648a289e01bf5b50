"""The example of an API of one's own and that of docs/python.md, run by uvicorn as they say."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from tests.conftest import RunFacemon
from tests.model.onnx_files import write_reducing_model
from tests.monitor.own_apis import OwnApi
from tests.monitor.test_monitor import CONFIG
from tests.patience import HANG_S

ROOT = Path(__file__).parents[2]


@contextmanager
def running(module: str, folder: Path, app_folder: Path) -> Iterator[OwnApi]:
    """Run `uvicorn MODULE:app` in a folder while the block runs."""
    command = [sys.executable, "-m", "uvicorn", f"{module}:app", "--app-dir", str(app_folder), "--port", "0"]
    process = subprocess.Popen(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    said = []
    try:
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"running on http://127\.0\.0\.1:(\d+)", line):
                break
        else:
            raise AssertionError(f"it ended with {process.wait()} and said {said}")
        yield OwnApi(int(found[1]))
    finally:
        process.terminate()
        process.stderr.close()
        process.wait(HANG_S)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a configuration, a model and a red photograph."""
    write_reducing_model(tmp_path / "m.onnx", {"hair": [[9, 0], [0, 9], [0, 0]]})
    (tmp_path / "facemon.yaml").write_text(CONFIG.format(model="m.onnx"))
    Image.new("RGB", (8, 8), (255, 0, 0)).save(tmp_path / "red.png")
    return tmp_path


@pytest.mark.servers
def test_the_example_shows_all_metrics_on_one_page(folder: Path, facemon: RunFacemon, servers: Path) -> None:
    image = (folder / "red.png").read_bytes()
    with running("own_api", folder, ROOT / "examples") as api:
        for _ in range(3):
            status, text, headers = api.ask("POST", "/cameras/entrance/predict", image)
            assert (status, json.loads(text)) == (200, {"outcome": "predicted", "faces": [{"hair": "a"}]})
            assert headers["x-request-id"]
        assert json.loads(api.ask("POST", "/cameras/exit/predict", b"no image")[1])["outcome"] == "unreadable"
        assert api.ask("POST", "/cameras/cellar/predict", image)[0] == 404
        assert api.ask("POST", "/cameras/exit/predict", b"x" * (16 * 1024 * 1024 + 1))[0] == 413
        samples = api.samples()
        assert samples["camera_images_total", "entrance", "predicted"] == 3
        assert samples["camera_images_total", "exit", "unreadable"] == 1
        assert samples["api_requests_total", "200", "/cameras/{camera}/predict", "POST", "success"] == 4
        assert samples["api_requests_total", "404", "/cameras/{camera}/predict", "POST", "rejected"] == 1
        assert samples["model_predictions_total", "hair", "elsewhere@1", "a"] == 3
        assert (samples["images_processed_total", "ok"], samples["images_processed_total", "failed"]) == (3, 1)
        assert samples["facemon_source_up", "application"] == samples["facemon_source_up", "store"] == 1
        assert samples["process_resident_memory_bytes",] > 1e6
        page = api.ask("GET", "/metrics")[1]
        openmetrics = api.ask("GET", "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})[1]
        assert api.ask("GET", "/health")[0] == 200
    plain = {family.name for family in read_text(page)}
    others = {family.name for family in read_openmetrics(openmetrics)}  # type: ignore[no-untyped-call]
    assert {"camera_images", "api_requests", "model_predictions"} <= plain & others
    command = [str(servers / "usr" / "bin" / "promtool"), "check", "metrics"]
    judged = subprocess.run(command, input=page, capture_output=True, text=True, check=False)
    assert (judged.returncode, judged.stdout + judged.stderr) == (0, "")
    assert facemon("store", "verify", cwd=folder).returncode == 0


def test_what_the_documentation_shows(folder: Path) -> None:
    text = (ROOT / "docs" / "python.md").read_text()
    section = text.split("\n## Metrics of your own API\n")[1].split("\n## ")[0]
    (folder / "documented.py").write_text(section.split("```python\n")[1].split("```")[0])
    with running("documented", folder, folder) as api:
        assert [api.ask("GET", f"/greet/{name}")[:2] for name in ("Ada", "Bob")] == [
            (200, "Hello Ada\n"),
            (200, "Hello Bob\n"),
        ]
        samples = api.samples()
        assert samples["greetings_total", "english", "door"] == 2
        assert samples["api_requests_total", "200", "/greet/{name}", "GET", "success"] == 2
        assert samples["facemon_source_up", "store"] == 1
