"""Servers that share a store: none counts as another one, and counters go on under every change of address."""

import signal
import socket
from pathlib import Path

import pytest

from facemon.store.ledger.opening import open_ledger
from facemon.store.totals import TotalKey
from tests.acceptance.served import Served, served
from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.model.onnx_files import flat_image
from tests.patience import HANG_S

ONE = ("--instance", "api-1", "--workers", "1")


@pytest.fixture
def image(tmp_path: Path) -> bytes:
    write_small_model(tmp_path, "api: {workers: 1}\n")
    flat_image(tmp_path / "a.png", (255, 0, 0))
    return (tmp_path / "a.png").read_bytes()


def predicted(api: Served) -> float:
    return api.sums("api_requests_total", "endpoint", "code")["/predict", "200"]


def test_two_servers_of_one_name_are_one_too_many(facemon: RunFacemon, tmp_path: Path, image: bytes) -> None:
    with served(tmp_path, *ONE) as api:
        for _ in range(3):
            assert api.ask("POST", "/predict", image)[0] == 200
        second = facemon("serve", "--listen", "127.0.0.1:0", *ONE, cwd=tmp_path)
        assert second.returncode == 75
        assert f"counts as 'api-1' in {tmp_path / '.facemon'} (process {api.process.pid} on " in second.stderr
        assert "--instance NAME" in second.stderr.splitlines()[-1]
        with served(tmp_path, "--instance", "api-2") as other:
            assert other.ask("POST", "/predict", image)[0] == 200
            api.wait_for_images(4)
            assert (predicted(api), predicted(other)) == (3, 1), "each shows its own"
        api.process.send_signal(signal.SIGKILL)
        api.process.wait(HANG_S)
    with served(tmp_path, *ONE) as api:
        assert predicted(api) == 3, "after a kill it goes on, at another address too"


def test_a_server_of_an_earlier_version_is_continued(tmp_path: Path, image: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    counted = TotalKey("api_requests_total", ("/predict", "POST", "success", "200"), "")
    with open_ledger(tmp_path / ".facemon", create=True) as ledger, ledger.writing():
        ledger.requests.add(address, {counted: 41.0})
    for number in (1, 2):
        with served(tmp_path, "--listen", address) as api:
            assert predicted(api) == 40 + number
            assert api.ask("POST", "/predict", image)[0] == 200
            api.wait_for_images(number)
            assert api.stop() == 0


@pytest.mark.parametrize("name", ["", " ", "*", "a\nb", "x" * 201])
def test_a_name_that_is_none(facemon: RunFacemon, tmp_path: Path, image: bytes, name: str) -> None:
    outcome = facemon("serve", "--instance", name, cwd=tmp_path)
    assert outcome.returncode == 2
    assert "--instance: " in outcome.stderr
    assert "like api-1" in outcome.stderr
