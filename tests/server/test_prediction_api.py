"""The API over real sockets, with a real small model: what is answered, what is refused, and what is counted."""

import gzip
import hashlib
import json
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from facemon.domain.image_input import ImageInput
from facemon.domain.metric_catalogue import CATALOGUE
from facemon.domain.prediction import Origin, PredictedBatch
from facemon.errors import FacemonError
from facemon.model.predictor import Predictor
from facemon.server import prediction_api
from facemon.server.prediction_api import LogTrouble
from tests.patience import HANG_S
from tests.server.raw_requests import BOUNDARY, FORM, form
from tests.server.served_api import Api, picture, served


def test_one_image_is_the_body_of_a_request(api: Api) -> None:
    content = picture()
    status, text, headers = api.ask("POST", "/predict?source=gate%201", content)
    (row,) = json.loads(text)["predictions"]
    assert (status, headers["content-type"]) == (200, "application/json")
    assert row["schema"] == "facemon.prediction/1"
    assert (row["source"], row["model"], row["face"], row["error"]) == ("gate 1", "small@1", 0, None)
    assert row["image_sha256"] == hashlib.sha256(content).hexdigest()
    assert row["image"] == f"sha256:{row['image_sha256']}"
    assert row["attributes"]["glasses"]["label"] == "yes"
    (logged,) = api.logged
    assert logged.rows["origin"].to_pylist() == ["api"]
    assert logged.rows["source"].to_pylist() == ["gate 1"]


def test_what_is_refused_and_how(api: Api) -> None:
    assert api.refusal("POST", "/predict") == (400, "bad_request")
    assert api.refusal("POST", "/predict?source=%20", picture()) == (400, "bad_request")
    assert api.refusal("POST", f"/predict?source={'x' * 201}", picture()) == (400, "bad_request")
    assert api.refusal("GET", "/predict") == (405, "method_not_allowed")
    assert api.refusal("POST", "/health", b"x") == (405, "method_not_allowed")
    assert api.refusal("GET", "/nothing/here") == (404, "not_found")
    assert api.refusal("POST", "/predict/", picture()) == (404, "not_found")
    for kind in ("application/json", "text/plain; charset=utf-8", "video/mp4"):
        assert api.refusal("POST", "/predict", picture(), {"Content-Type": kind}) == (415, "unsupported_type")
    assert api.refusal("POST", "/predict", b"no picture") == (422, "unreadable")
    assert api.refusal("POST", "/predict", picture()[:45]) == (422, "unreadable")
    assert api.refusal("POST", "/predict", picture(size=(200, 200))) == (413, "too_large")
    # Images that were looked at are attempts, and logged; what was turned away before is not.
    assert [batch.rows["error"][0].as_py() for batch in api.logged] == ["unreadable", "unreadable", "too_large"]
    assert api.reported == []


@pytest.mark.parametrize(
    ("name", "value", "encoding"),
    [
        ("Content-Encoding", "gzip", "gzip"), ("Content-Encoding", "identity, br", "br"),
        ("Content-Encoding", "x-odd, gzip", "x-odd"), ("Content-Transfer-Encoding", "base64", "base64"),
        ("content-transfer-encoding", "Quoted-Printable", "Quoted-Printable"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_form", [False, True])
def test_an_encoded_image_is_refused_and_is_no_damaged_one(
    api: Api, name: str, value: str, encoding: str, is_form: bool
) -> None:
    body, headers = gzip.compress(picture()), {name: value}
    if is_form:
        body, headers = form(("a", "a.png", picture()), ("b", "b.png", body), headers=headers), FORM
    status, text, _ = api.ask("POST", "/predict", body, headers)
    assert status == 415
    told = json.loads(text)
    assert (told["error"], told["message"].partition(": ")[2]) == (
        "unsupported_type", f"{encoding} is not accepted: send the image as it is",
    )  # fmt: skip
    assert api.logged == []
    assert api.requests("/predict") == {"415": 1}


def test_an_image_as_it_is_may_say_so(api: Api) -> None:
    assert api.ask("POST", "/predict", picture(), {"Content-Encoding": "Identity"})[0] == 200
    for value in ("binary", "8bit"):
        body = form(("a", "a.png", picture()), headers={"Content-Transfer-Encoding": value})
        assert api.ask("POST", "/predict", body, FORM)[0] == 200
    # Other fields of a form are of no interest.
    note = form(("note", None, b"eA=="), headers={"Content-Transfer-Encoding": "base64"}, end=b"")
    body = note + form(("a", "a.png", picture())).removeprefix(f"--{BOUNDARY}".encode())
    assert api.ask("POST", "/predict", body, FORM)[0] == 200


def test_a_body_that_is_too_large_is_refused_with_and_without_its_length(api: Api) -> None:
    huge = b"x" * 5_000_000
    assert api.refusal("POST", "/predict", huge) == (413, "too_large")
    pieces = (huge[start : start + 50_000] for start in range(0, len(huge), 50_000))
    assert api.refusal("POST", "/predict", pieces, encode_chunked=True) == (413, "too_large")
    assert api.requests("/predict") == {"413": 2}
    assert api.ask("POST", "/predict", picture())[0] == 200


def test_a_body_that_stalls_is_given_up(api: Api) -> None:
    with socket.create_connection(("127.0.0.1", api.port), timeout=HANG_S) as slow:
        slow.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        answer = b""
        while piece := slow.recv(4096):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert api.requests("/predict") == {"408": 1}


def test_a_client_that_leaves_is_counted_and_forgotten(api: Api) -> None:
    with socket.create_connection(("127.0.0.1", api.port), timeout=HANG_S) as leaving:
        leaving.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    while not (counted := api.requests("/predict")):
        time.sleep(0.01)
    assert counted == {"499": 1}
    assert api.reported == []


_SIZE = max(len(picture(colour)) for colour in ((1, 0, 0), (2, 0, 0), (200, 30, 30)))


@pytest.mark.parametrize(
    "limits",
    [{"max_in_flight": 2}, {"max_in_flight": 9, "max_body": _SIZE, "max_in_flight_bytes": 3 * _SIZE - 9}],
    ids=["images", "bytes"],
)
def test_too_many_in_flight_are_told_to_come_back(tmp_path: Path, limits: dict[str, Any]) -> None:
    inside, go_on = threading.Semaphore(0), threading.Event()

    class Waiting:
        def __init__(self, predictor: Predictor) -> None:
            self._predictor = predictor

        def predict(self, images: Sequence[ImageInput], run: str, *, origin: Origin) -> PredictedBatch:
            inside.release(len(images))
            assert go_on.wait(HANG_S)
            return self._predictor.predict(images, run, origin=origin)

    with served(tmp_path, Waiting, **limits) as api, ThreadPoolExecutor(2) as clients:
        begun = [clients.submit(api.ask, "POST", "/predict", picture((shade, 0, 0))) for shade in (1, 2)]
        assert inside.acquire(timeout=HANG_S)
        assert inside.acquire(timeout=HANG_S)
        status, text, headers = api.ask("POST", "/predict", picture())
        assert (status, json.loads(text)["error"], headers["retry-after"]) == (503, "busy", "1")
        assert in_flight(api) == (2, limits["max_in_flight"])
        assert api.ask("GET", "/health")[0] == 200
        go_on.set()
        assert [each.result()[0] for each in begun] == [200, 200]
        assert api.ask("POST", "/predict", picture())[0] == 200
        assert api.requests("/predict") == {"200": 3, "503": 1}
        assert in_flight(api) == (0, limits["max_in_flight"])


def in_flight(api: Api) -> tuple[float, float]:
    """Images in flight, and their limit."""
    series = api.series()
    return series["api_images_in_flight", frozenset()], series["api_images_in_flight_limit", frozenset()]


@pytest.mark.parametrize("error", [FacemonError("the network gave nothing"), RuntimeError("secret detail")])
def test_trouble_inside_is_a_500_that_says_nothing_and_is_reported(tmp_path: Path, error: Exception) -> None:
    class Failing:
        fails = True

        def __init__(self, predictor: Predictor) -> None:
            self._predictor = predictor

        def predict(self, images: Sequence[ImageInput], run: str, *, origin: Origin) -> PredictedBatch:
            if Failing.fails:
                raise error
            return self._predictor.predict(images, run, origin=origin)

    loaded = ("model_loaded", frozenset({("model", "small@1")}))
    with served(tmp_path, Failing) as api:
        status, text, headers = api.ask("POST", "/predict", picture())
        assert (status, json.loads(text)["error"]) == (500, "failed")
        assert str(error) not in text
        while not api.reported:  # the client hears of it first
            time.sleep(0.01)
        assert [each for each, _ in api.reported] == [error]
        is_the_models = isinstance(error, FacemonError)
        assert api.series()[loaded] == (0 if is_the_models else 1)
        assert api.ask("GET", "/ready")[0] == (503 if is_the_models else 200)
        Failing.fails = False
        assert api.ask("POST", "/predict", picture())[0] == 200
        assert api.series()[loaded] == 1
        assert api.ask("GET", "/ready")[:2] == (200, "ready\n")
        assert api.reported[0][1] == headers["x-request-id"] == json.loads(text)["request"]
        assert api.requests("/predict") == {"500": 1, "200": 1}


def test_a_ratio_of_errors_exists_before_the_first_request(api: Api) -> None:
    series = api.series()
    by_status: dict[str, float] = {}
    for (name, labels), value in series.items():
        if name == "api_requests_total":
            assert ("endpoint", "/predict") in labels
            by_status[dict(labels)["status"]] = by_status.get(dict(labels)["status"], 0) + value
    assert by_status == {"success": 0, "rejected": 0, "error": 0}
    count = ("api_request_latency_seconds_count", frozenset({("endpoint", "/predict"), ("method", "POST")}))
    assert series[count] == 0


def test_no_path_and_no_method_makes_a_series_of_its_own(api: Api) -> None:
    for number in range(5):
        assert api.ask("GET", f"/nothing/{number}")[0] == 404
        assert api.ask(f"WORD{number}" if number else "PUT", "/nothing")[0] in (400, 404)
    keys = {key.labels for key in api.counts.totals() if key.metric == "api_requests_total"}
    assert {labels[0] for labels in keys} == {"unmatched"}
    assert {labels[1] for labels in keys} <= {"GET", "PUT", "other"}


def test_both_formats_hold_what_the_catalogue_says(api: Api) -> None:
    assert api.ask("POST", "/predict", picture())[0] == 200
    _, plain, headers = api.ask("GET", "/metrics")
    assert headers["content-type"].startswith("text/plain")
    accept = {"Accept": "application/openmetrics-text;version=1.0.0"}
    _, openmetrics, headers = api.ask("GET", "/metrics", None, accept)
    assert headers["content-type"].startswith("application/openmetrics-text")
    for read, text in ((read_text, plain), (read_openmetrics, openmetrics)):
        families = list(read(text))
        names = [family.name for family in families]
        assert len(names) == len(set(names))
        for family in families:
            entry = CATALOGUE.get(family.name) or CATALOGUE[f"{family.name}_total"]
            assert (family.type, family.documentation) == (entry.type.value, entry.help)
            for sample in family.samples:
                assert set(sample.labels) - {"le"} == set(entry.labels)
    assert "_created" not in plain + openmetrics
    sources = {
        dict(labels)["source"]: value for (name, labels), value in api.series().items() if name == "facemon_source_up"
    }
    assert sources == {"store": 1, "log": 1}


def test_a_remembered_image_is_a_prediction_like_any_other(tmp_path: Path) -> None:
    with served(tmp_path, cache_size=2) as api:
        first = json.loads(api.ask("POST", "/predict?source=a", picture())[1])["predictions"]
        before = datetime.now(UTC)
        second = json.loads(api.ask("POST", "/predict?source=b", picture())[1])["predictions"]
        assert first[0]["attributes"] == second[0]["attributes"]
        assert (first[0]["source"], second[0]["source"]) == ("a", "b")
        assert datetime.fromisoformat(second[0]["predicted_at"]) >= before
        assert [batch.rows.num_rows for batch in api.logged] == [1, 1]
        assert api.logged[0].rows.schema == api.logged[1].rows.schema
        assert [len(batch.latencies) for batch in api.logged] == [1, 0]
        assert api.logged[1].rows["observed_at"][0].as_py() >= before
        for shade in range(3):
            api.ask("POST", "/predict", picture((shade, 0, 0)))
        assert api.series()["cache_size", frozenset()] == 2
        api.ask("POST", "/predict", picture())
        assert {key.labels: n for key, n in api.counts.totals().items() if key.metric == "cache_lookups_total"} == {
            ("hit",): 1,
            ("miss",): 5,
        }
        assert len(api.logged[-1].latencies) == 1  # it was the one that was not asked for the longest


def test_nothing_is_remembered_without_a_cache(tmp_path: Path) -> None:
    with served(tmp_path, cache_size=0) as api:
        for _ in range(2):
            api.ask("POST", "/predict", picture())
        assert [len(batch.latencies) for batch in api.logged] == [1, 1]
        assert api.series()["cache_size", frozenset()] == 0


def test_one_that_cannot_log_is_ready_as_long_as_predictions_can_wait(tmp_path: Path) -> None:
    troubles = [LogTrouble("the disk is full", is_full=False), LogTrouble("the disk is full", is_full=True), None]
    with served(tmp_path, trouble_with_log=lambda: troubles.pop(0)) as api:
        waits = "ready; cannot log, predictions wait in memory: the disk is full\n"
        assert api.ask("GET", "/ready")[:2] == (200, waits)
        loses = "cannot log, and no further prediction can wait in memory: the disk is full\n"
        assert api.ask("GET", "/ready")[:2] == (503, loses)
        assert api.ask("GET", "/ready")[:2] == (200, "ready\n")


def test_a_model_that_failed_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who obeys /ready sends nothing meanwhile, so that only time can make it ready again."""

    class Failing:
        def __init__(self, _: Predictor) -> None:
            pass

        def predict(self, images: Sequence[ImageInput], run: str, *, origin: Origin) -> PredictedBatch:
            del images, run, origin
            raise FacemonError("the network gave nothing")

    monkeypatch.setattr(prediction_api, "NOT_READY_SECONDS", 0.5)
    with served(tmp_path, Failing) as api:
        assert api.ask("POST", "/predict", picture())[0] == 500
        assert api.ask("GET", "/ready")[:2] == (503, "the model does not answer\n")
        time.sleep(0.6)
        assert api.ask("GET", "/ready")[0] == 200
        assert api.series()["model_loaded", frozenset({("model", "small@1")})] == 0
