"""Hundreds of requests that make no sense: none fails inside, none leaves a trace on stderr, and good ones go on."""

from pathlib import Path

import pytest

from tests.acceptance.served import served
from tests.acceptance.small_model import write_small_model
from tests.patience import wait_until
from tests.server.exporters import exporter
from tests.server.odd_requests import send_odd_requests
from tests.server.served_api import picture


@pytest.fixture
def count(at_length: bool) -> int:
    return 1000 if at_length else 100


@pytest.mark.long_proof
def test_the_api_survives_any_request(tmp_path: Path, count: int) -> None:
    write_small_model(tmp_path, 'api: {workers: 1, trusted_proxies: ["127.0.0.1"]}\n')
    with served(tmp_path) as api:
        codes = send_odd_requests(api.port, count)
        assert sum(codes.values()) >= count
        assert {200, 400, 404, 405} <= set(codes), "they get far enough to mean something"
        assert not {code for code in codes if code >= 500}
        assert api.ask("POST", "/predict", picture((1, 2, 3)))[0] == 200
        wait_until(lambda: api.sums("api_requests_total", "endpoint", "code")["/predict", "200"])
        counted = {code for (code,) in api.sums("api_requests_total", "code")}
        assert not {code for code in counted if code.startswith("5")}
        assert api.stop() == 0
    assert [line for line in api.said if "serving" not in line and "stopped" not in line] == []


@pytest.mark.long_proof
def test_the_exporter_survives_any_request(tmp_path: Path, count: int) -> None:
    with exporter(tmp_path) as running:
        before = list(running.said)
        codes = send_odd_requests(running.port, count, ("GET", "/metrics"))
        assert {200, 400, 404, 405} <= set(codes)
        assert not {code for code in codes if code >= 500} - {503}, "503 while there is no store"
        assert running.get("/metrics").status == 200
        assert running.said == before
