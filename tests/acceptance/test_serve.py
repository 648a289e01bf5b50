"""`facemon serve` as its users run it: a process, real photographs, many clients, and ends of every kind."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.camera import broken_pictures, take_pictures
from tests.acceptance.served import COMMAND, served
from tests.conftest import RunFacemon
from tests.patience import HANG_S, wait_until

CLIENTS, REQUESTS = 8, 20
MISSING_MODEL = """\
version: 1
model:
  name: mine
  version: "1"
  networks:
    - path: missing.onnx
      input: {name: x, size: [4, 4]}
      attributes: [{name: beard, output: b, kind: binary, labels: ["no", "yes"], activation: sigmoid}]
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return take_pictures(tmp_path_factory.mktemp("camera") / "pictures", images=CLIENTS * REQUESTS)


def test_it_answers_what_predict_says(facemon: RunFacemon, tmp_path: Path, pictures: Path, astronaut: Path) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    expected = broken_pictures(bad, next(pictures.iterdir()))
    images = [astronaut, *sorted(pictures.iterdir())[:6]]
    outcome = facemon("predict", *images, "--no-store", "--format", "jsonl", cwd=tmp_path)
    others = [json.loads(line) for line in outcome.stdout.splitlines()]
    with served(tmp_path) as api:
        for image, other in zip(images, others, strict=True):
            status, text = api.ask("POST", "/predict?source=gate", image.read_bytes())
            assert status == 200
            (row,) = json.loads(text)["predictions"]
            assert_same_prediction(row, other)
        for name, code in {"truncated.jpg": 422, "text.jpg": 422, "bomb.png": 413, "sky.png": 200}.items():
            status, text = api.ask("POST", "/predict", (bad / name).read_bytes())
            document = json.loads(text)
            said = document["predictions"][0] if code == 200 else document
            assert (status, said["error"]) == (code, expected[name]), name
        assert api.stop() == 0
    assert "ok: 11 rows" in facemon("store", "verify", cwd=tmp_path).stdout


def assert_same_prediction(row: dict[str, Any], other: dict[str, Any]) -> None:
    assert row.keys() == other.keys()
    assert row["source"] == "gate"
    for key in ("image_sha256", "face", "box", "model", "error"):
        assert row[key] == other[key]
    for attribute, reading in other["attributes"].items():
        assert row["attributes"][attribute].pop("label") == reading.pop("label")
        # Predict runs eight images at once, which moves a float's last digits.
        assert row["attributes"][attribute] == pytest.approx(reading, rel=1e-4)


@pytest.mark.slow
def test_everything_is_counted_under_load_and_flushed_on_sigterm(
    facemon: RunFacemon, tmp_path: Path, pictures: Path
) -> None:
    contents = [path.read_bytes() for path in sorted(pictures.iterdir())]
    total = CLIENTS * REQUESTS
    with served(tmp_path) as api, ThreadPoolExecutor(CLIENTS) as clients:
        began = time.monotonic()
        statuses = list(clients.map(lambda content: api.ask("POST", "/predict", content)[0], contents))
        print(f"{total / (time.monotonic() - began):.0f} requests/s")
        assert statuses == [200] * total
        assert api.ask("GET", "/ready") == (200, "ready\n")
        assert api.ask("GET", "/health")[0] == 200
        api.wait_for_images(total)
        # What is counted of a request reaches the ledger with its prediction.
        assert api.sums("api_requests_total", "endpoint", "status", "code")["/predict", "success", "200"] == total
        latency = "api_request_latency_seconds_count"
        assert api.sums(latency, "endpoint", "method")["/predict", "POST"] == total
        # Lines of the access log come together, a moment after the answers.
        wait_until(lambda: len(api.codes_of("/predict")) >= total)
        assert api.codes_of("/predict") == [200] * total
        assert sum(api.sums("images_processed_total", "status").values()) == total
        assert api.ask("POST", "/predict", contents[0])[0] == 200
        assert api.stop() == 0
        assert api.said[1:] in ([], ["stopped; every prediction is logged"])
    verified = facemon("store", "verify", cwd=tmp_path)
    assert verified.returncode == 0, verified.stdout
    assert f"ok: {total + 1} rows" in verified.stdout
    exported = facemon("export-metrics", "-o", "-", cwd=tmp_path).stdout
    assert f'images_processed_total{{status="ok"}} {total + 1}.0' in exported


@pytest.mark.slow
def test_a_signal_in_the_middle_of_requests_loses_none_that_was_answered(
    facemon: RunFacemon, tmp_path: Path, pictures: Path
) -> None:
    contents = [path.read_bytes() for path in sorted(pictures.iterdir())[:80]]
    answered = 0

    def ask(content: bytes) -> None:
        nonlocal answered
        try:
            status, _ = api.ask("POST", "/predict", content)
        except OSError:
            return  # it listens no more
        with counting:
            answered += status == 200

    counting = threading.Lock()
    with served(tmp_path) as api, ThreadPoolExecutor(4) as clients:
        for content in contents:
            clients.submit(ask, content)
        while answered < 20:
            time.sleep(0.01)
        assert api.stop(signal.SIGINT) == 0
    assert 20 <= answered < len(contents)
    assert f"ok: {answered} rows" in facemon("store", "verify", cwd=tmp_path).stdout


@pytest.mark.slow
def test_kill_9_leaves_a_whole_log_and_counters_go_on(facemon: RunFacemon, tmp_path: Path, pictures: Path) -> None:
    contents = [path.read_bytes() for path in sorted(pictures.iterdir())[:30]]
    with served(tmp_path) as api, ThreadPoolExecutor(4) as clients:
        list(clients.map(lambda content: api.ask("POST", "/predict", content), contents[:20]))
        api.wait_for_images(20)
        list(clients.map(lambda content: api.ask("POST", "/predict", content), contents[20:]))
        logged = sum(api.sums("images_processed_total", "status").values())
        api.process.kill()
    verified = facemon("store", "verify", cwd=tmp_path)
    assert verified.returncode == 0, verified.stdout
    with served(tmp_path) as api:
        assert sum(api.sums("images_processed_total", "status").values()) >= logged >= 20
        assert api.ask("POST", "/predict", contents[0])[0] == 200
        assert api.stop() == 0
    verified = facemon("store", "verify", cwd=tmp_path)
    assert verified.returncode == 0, verified.stdout


def test_a_store_that_goes_away_and_comes_back(facemon: RunFacemon, tmp_path: Path, astronaut: Path) -> None:
    content = astronaut.read_bytes()
    with served(tmp_path) as api:
        assert api.ask("POST", "/predict", content)[0] == 200
        (tmp_path / ".facemon").rename(tmp_path / "away")
        assert api.ask("POST", "/predict", content)[0] == 200
        while len(api.said) < 2:
            time.sleep(0.05)
        assert "warning: there is no store in" in api.said[1]
        assert api.sums("facemon_source_up", "source") == {}
        # It answers, so that a load balancer must not take it away for its log.
        status, state = api.ask("GET", "/ready")
        assert (status, state.partition(": ")[0]) == (200, "ready; cannot log, predictions wait in memory")
        assert api.ask("POST", "/predict", content)[0] == 200
        (tmp_path / "away").rename(tmp_path / ".facemon")
        while api.ask("GET", "/ready") != (200, "ready\n"):
            time.sleep(0.05)
        assert api.sums("facemon_source_up", "source") == {("store",): 1, ("log",): 1}
        assert api.stop() == 0
    assert "ok: 3 rows" in facemon("store", "verify", cwd=tmp_path).stdout


def test_what_keeps_it_from_starting(facemon: RunFacemon, tmp_path: Path) -> None:
    with served(tmp_path) as api:
        taken = facemon("serve", "--listen", f"127.0.0.1:{api.port}", cwd=tmp_path)
    assert taken.returncode == 1
    assert f"error: cannot listen on 127.0.0.1:{api.port}: Address already in use\n" in taken.stderr
    wrong = facemon("serve", "--listen", "nowhere", cwd=tmp_path)
    assert (wrong.returncode, "write HOST:PORT" in wrong.stderr) == (2, True)
    (tmp_path / "facemon.yaml").write_text(MISSING_MODEL)
    missing = facemon("serve", "--listen", "127.0.0.1:0", cwd=tmp_path)
    assert (missing.returncode, "missing.onnx" in missing.stderr) == (1, True), missing.stderr
    assert "serving" not in missing.stderr
    (tmp_path / "facemon.yaml").write_text("version: 1\napi: {tokens_file: tokens}\n")
    tokens = facemon("serve", "--listen", "127.0.0.1:0", cwd=tmp_path)
    assert (tokens.returncode, "tokens cannot be read: No such file" in tokens.stderr) == (1, True), tokens.stderr


def test_without_its_extra_it_says_what_to_install(tmp_path: Path) -> None:
    probe = "import sys; sys.modules['starlette'] = None; from facemon.cli.main import run; sys.exit(run(['serve']))"
    outcome = subprocess.run([sys.executable, "-c", probe], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert outcome.returncode == 1
    assert outcome.stderr == "error: facemon serve needs starlette\n  hint: pip install 'facemon[serve]'\n"


def test_a_wider_address_is_warned_of(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [COMMAND, "serve", "--listen", "0.0.0.0:0"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    said = [process.stderr.readline() for _ in range(2)]
    process.terminate()
    assert process.wait(HANG_S) == 0
    process.stderr.close()
    assert re.match(r"warning: 0\.0\.0\.0:\d+ can be reached from other machines", said[0])
    assert said[1].startswith("serving predictions on http://0.0.0.0:")
