"""`facemon serve` under senders and machines that would break it: bombs, floods, locks, full disks, killed workers."""

import json
import os
import resource
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from http.client import HTTPException
from pathlib import Path

import pytest

from facemon.store.layout import LEDGER_NAME
from tests.acceptance.served import COMMAND, Served, served
from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.model.onnx_files import flat_image
from tests.patience import HANG_S, wait_until

IDLE = 2000


@pytest.fixture
def image(tmp_path: Path) -> bytes:
    """An image; its folder gets the small model, and the server two workers."""
    write_small_model(tmp_path, "api: {workers: 2, cache_size: 0, timeout: 2s}\n")
    flat_image(tmp_path / "a.png", (255, 0, 0))
    return (tmp_path / "a.png").read_bytes()


def children_of(api: Served) -> list[int]:
    """Its first workers (one more than api.workers), the one that begins others and, last, the one that logs."""
    pid = api.process.pid
    # In the order of their birth.
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def peak_memory(api: Served) -> int:
    """Mebibytes that the server's processes have held at most, what they share counted in each."""
    statuses = [Path(f"/proc/{pid}/status").read_text() for pid in (api.process.pid, *children_of(api))]
    return sum(int(status.partition("VmHWM:")[2].split()[0]) for status in statuses) // 1024


def bomb() -> bytes:
    """A whole PNG of 60,000 by 60,000 black pixels, in two megabytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    packer, row = zlib.compressobj(1), bytes(7501)
    pixels = b"".join(packer.compress(row * 100) for _ in range(600)) + packer.flush()
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.slow
def test_a_decompression_bomb_is_refused_before_it_goes_off(tmp_path: Path, image: bytes) -> None:
    content = bomb()
    with served(tmp_path) as api:
        assert api.ask("POST", "/predict", image)[0] == 200
        before = peak_memory(api)
        for _ in range(3):
            status, text = api.ask("POST", "/predict", content)
            assert (status, json.loads(text)["error"]) == (413, "too_large")
        assert peak_memory(api) - before < 60, "unpacked it would take 450 MB as bits, and 3,600 MB as bytes"
        assert api.ask("POST", "/predict", image)[0] == 200


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_a_gigabyte_is_refused_with_and_without_its_length(tmp_path: Path, image: bytes) -> None:
    with (tmp_path / "gigabyte").open("wb") as file:
        file.truncate(2**30)  # takes no room
    url = "/predict"
    with served(tmp_path) as api:
        assert api.ask("POST", url, image)[0] == 200
        before = peak_memory(api)
        for headers in (["-T", "gigabyte"], ["-T", "-", "-H", "Transfer-Encoding: chunked"]):
            command = ["curl", "-s", "--noproxy", "*", "-X", "POST", "-H", "Expect:", *headers]
            with (tmp_path / "gigabyte").open("rb") as file:
                outcome = subprocess.run(
                    [*command, "-w", "\n%{http_code} %{size_upload}", f"http://127.0.0.1:{api.port}{url}"],
                    cwd=tmp_path, stdin=file, capture_output=True, text=True, check=False, timeout=HANG_S,
                )  # fmt: skip
            answer, _, numbers = outcome.stdout.rpartition("\n")
            code, sent = numbers.split()
            assert (code, json.loads(answer)["error"]) == ("413", "too_large"), outcome.stderr
            assert int(sent) < 2**26
        assert peak_memory(api) - before < 100
        assert api.ask("POST", url, image)[0] == 200
        requests = api.sums("api_requests_total", "endpoint", "code")
        wait_until(lambda: api.sums("api_requests_total", "endpoint", "code")["/predict", "413"] == 2)
        assert set(requests) <= {("/predict", "200"), ("/predict", "413"), ("/metrics", "200")}


def test_a_body_that_stalls_is_answered_and_others_meanwhile(tmp_path: Path, image: bytes) -> None:
    with served(tmp_path) as api, socket.create_connection(("127.0.0.1", api.port), timeout=HANG_S) as slow:
        slow.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        assert api.ask("POST", "/predict", image)[0] == 200
        assert slow.recv(4096).startswith(b"HTTP/1.1 408 ")


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < IDLE + 500:
        pytest.skip("this process may not hold so many connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, IDLE + 500), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
@pytest.mark.usefixtures("many_files")
def test_two_thousand_idle_connections_hold_up_nobody(tmp_path: Path, image: bytes) -> None:
    with served(tmp_path) as api, ExitStack() as stack:
        before = peak_memory(api)
        for number in range(IDLE):
            idle = stack.enter_context(socket.create_connection(("127.0.0.1", api.port), timeout=HANG_S))
            if number % 2:
                idle.sendall(b"POST /predict HTT")
        assert [api.ask("POST", "/predict", image)[0] for _ in range(5)] == [200] * 5
        assert api.ask("GET", "/metrics")[0] == 200
        assert peak_memory(api) - before < 2**-20 * 50_000 * IDLE, "mebibytes; what one connection may take, times all"
        assert api.stop() == 0


def test_paths_that_do_not_exist_share_one_series(tmp_path: Path, image: bytes) -> None:
    with served(tmp_path) as api:
        for path in ("/", "/predict/", "/admin.php", "/a/b/c?x=1", "/%2e%2e/etc/passwd", "/predict%00"):
            assert api.ask("GET", path)[0] == 404
        wait_until(lambda: api.sums("api_requests_total", "endpoint", "code")["unmatched", "404"] == 6)
        assert {endpoint for (endpoint,) in api.sums("api_requests_total", "endpoint")} <= {"unmatched", "/metrics"}
        wait_until(lambda: len(api.access) >= 6)
        assert {entry["endpoint"] for entry in api.access} == {"unmatched"}


def rows(facemon: RunFacemon, folder: Path) -> int:
    assert facemon("store", "verify", cwd=folder).returncode == 0
    return int(json.loads(facemon("store", "info", "--json", cwd=folder).stdout)["rows"])


def test_a_locked_store_is_waited_for(facemon: RunFacemon, tmp_path: Path, image: bytes) -> None:
    with served(tmp_path) as api:
        other = sqlite3.connect(tmp_path / ".facemon" / LEDGER_NAME, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert [api.ask("POST", "/predict", image)[0] for _ in range(5)] == [200] * 5
        assert api.ask("GET", "/metrics")[0] == 200
        time.sleep(1.5)
        assert sum(api.sums("images_processed_total", "status").values()) == 0
        other.execute("COMMIT")
        other.close()
        api.wait_for_images(5)
        assert api.stop() == 0
    assert rows(facemon, tmp_path) == 5


def test_a_full_disk_is_said_and_what_waited_is_written(
    facemon: RunFacemon, tmp_path: Path, image: bytes, small_disk: Path
) -> None:
    write_small_model(tmp_path, f"api: {{workers: 1, cache_size: 0}}\nstore: {{path: {small_disk / 'store'}}}\n")
    broken = 'facemon_source_up{source="log"} 0.0'
    with served(tmp_path) as api:
        assert api.ask("POST", "/predict", image)[0] == 200
        api.wait_for_images(1)
        filler = small_disk / "filler"
        with pytest.raises(OSError, match="No space left"):
            filler.write_bytes(bytes(500_000))
        for _ in range(20):
            assert api.ask("POST", "/predict", image)[0] == 200
        wait_until(lambda: broken in api.ask("GET", "/metrics")[1])
        status, text = api.ask("GET", "/ready")[:2]
        assert (status, "cannot log, predictions wait in memory" in text) == (200, True)
        assert api.ask("GET", "/health")[0] == 200
        assert any("predictions are answered, and wait in memory" in line for line in api.said)
        filler.unlink()
        wait_until(lambda: broken not in api.ask("GET", "/metrics")[1])
        assert api.ask("GET", "/ready")[:2] == (200, "ready\n")
        api.wait_for_images(21)
        assert api.sums("api_requests_total", "endpoint", "code")["/predict", "200"] == 21
        assert api.stop() == 0
    assert rows(facemon, tmp_path) == 21
    assert not any("Traceback" in line for line in api.said)


def workers_of(api: Served) -> float:
    """The workers that can predict, as its metrics tell."""
    return api.sums("api_workers_available")[()]


def test_killed_workers_are_replaced_and_cost_no_request(tmp_path: Path, image: bytes, facemon: RunFacemon) -> None:
    with served(tmp_path) as api, ThreadPoolExecutor(2) as clients:
        spare, *workers = children_of(api)[:3]
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        held: list[Future[tuple[int, str]]] = []
        for _ in range(2):
            held.append(clients.submit(api.ask, "POST", "/predict", image + bytes(len(held))))
        wait_until(lambda: api.sums("api_images_in_flight") == {(): 2})
        # An image that two workers die of is given up; so the spare one dies before it could have an image.
        os.kill(spare, signal.SIGKILL)
        wait_until(lambda: any("a new one is started" in line for line in api.said))
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        assert [each.result()[0] for each in held] == [200, 200]
        wait_until(lambda: workers_of(api) == 2)
        assert [api.ask("POST", "/predict", image)[0] for _ in range(5)] == [200] * 5
        assert api.ask("GET", "/ready") == (200, "ready\n")
        assert sum("a new one is started" in line for line in api.said) == 3
        assert api.stop() == 0
    assert rows(facemon, tmp_path) == 7


def test_without_the_process_that_begins_workers_the_last_ones_end_is_the_servers(tmp_path: Path, image: bytes) -> None:
    with served(tmp_path) as api:
        spare, first, second, beginner, _ = children_of(api)
        for process in (beginner, spare, first):
            os.kill(process, signal.SIGKILL)
        wait_until(lambda: workers_of(api) == 1)
        assert api.ask("GET", "/ready") == (200, "ready, with 1 of 2 workers; the others are being replaced\n")
        assert api.sums("model_loaded") == {}
        assert api.ask("POST", "/predict", image)[0] == 200
        os.kill(second, signal.SIGKILL)
        assert api.process.wait(HANG_S) == 1
        assert any("the process that starts workers was killed" in line for line in api.said)
        assert not any("Traceback" in line for line in api.said)


def test_a_worker_that_hangs_ends_with_the_server(tmp_path: Path, image: bytes, facemon: RunFacemon) -> None:
    with served(tmp_path, "--workers", "1") as api, ThreadPoolExecutor(1) as client:
        assert api.ask("POST", "/predict", image)[0] == 200
        children = children_of(api)
        for worker in children[:2]:
            os.kill(worker, signal.SIGSTOP)
        hanging = client.submit(api.ask, "POST", "/predict", image + b"x")
        wait_until(lambda: api.sums("api_images_in_flight") == {(): 1})
        assert api.stop() == 0
        assert not any(Path(f"/proc/{child}").exists() for child in children)
        answered = []
        with suppress(OSError, HTTPException, json.JSONDecodeError):
            status, text = hanging.result()
            answered = [(status, json.loads(text)["message"])]
    assert answered in ([], [(422, "the process that predicted it was ended because it did not answer for 2 s")])
    assert rows(facemon, tmp_path) == 1 + len(answered)


def test_a_reload_changes_limits_and_tokens_and_loses_nothing(
    tmp_path: Path, image: bytes, facemon: RunFacemon
) -> None:
    with served(tmp_path) as api:
        assert api.ask("POST", "/predict", image)[0] == 200
        write_small_model(tmp_path, "api: {workers: 1, cache_size: 0, timeout: 2s, max_in_flight: 7}\n")
        api.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "reloaded the configuration" in api.said)
        assert api.sums("api_images_in_flight_limit") == {(): 7}
        assert "warning: api.workers changes with a restart only; it stays as it was" in api.said
        write_small_model(tmp_path, "api: {max_in_flight: many}\n")
        api.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "warning: the configuration was not reloaded; the previous one stays in use" in api.said)
        assert api.sums("api_images_in_flight_limit") == {(): 7}
        for process in (api.process.pid, *children_of(api)):  # as from a terminal that closes
            os.kill(process, signal.SIGHUP)
        assert api.ask("POST", "/predict", image)[0] == 200
        write_small_model(tmp_path, "")
        assert api.stop() == 0
    assert rows(facemon, tmp_path) == 2


def test_it_does_not_go_on_without_its_log(tmp_path: Path, image: bytes) -> None:
    with served(tmp_path) as api:
        api.ask("POST", "/predict", image)
        api.wait_for_images(1)
        os.kill(children_of(api)[-1], signal.SIGKILL)
        assert api.process.wait(HANG_S) == 1
        assert api.said[-1].endswith(
            "what came last was answered but not logged: the process that writes the log was killed"
        )
        assert not any("Traceback" in line for line in api.said)


def test_how_many_processes_predict(tmp_path: Path, image: bytes) -> None:
    for arguments, expected in (((), 2), (("--workers", "3"), 3), (("--workers", "1"), 1)):
        with served(tmp_path, *arguments) as api:
            assert api.ask("POST", "/predict", image)[0] == 200
            children = children_of(api)
            # The one for images that take long, the one that begins others, and the one that logs.
            assert len(children) == expected + 3
            assert api.stop() == 0
            assert not any(Path(f"/proc/{child}").exists() for child in children)


def test_the_access_log_may_be_silenced(tmp_path: Path, image: bytes) -> None:
    with served(tmp_path) as api:
        assert api.ask("POST", "/predict?source=gate", image)[0] == 200
        assert api.ask("GET", "/health")[0] == 200
        assert api.ask("GET", "/nothing")[0] == 404
        wait_until(lambda: len(api.access) == 2)
        assert [(entry["endpoint"], entry["code"]) for entry in api.access] == [("/predict", 200), ("unmatched", 404)]
        assert "gate" not in json.dumps(api.access)
    write_small_model(tmp_path, "api: {workers: 1, access_log: false}\n")
    with served(tmp_path) as api:
        assert api.ask("POST", "/predict", image)[0] == 200
        assert api.stop() == 0
    assert (api.access, api.said[1:]) == ([], ["stopped; every prediction is logged"])


def test_quiet_says_nothing_of_requests(tmp_path: Path, image: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [COMMAND, "-q", "serve", "--listen", f"127.0.0.1:{port}", "--workers", "1"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    api = Served(process, port, [], [])
    try:
        wait_until(lambda: not is_refused(port))
        assert api.ask("POST", "/predict", image)[0] == 200
        assert api.ask("GET", "/nothing")[0] == 404
        process.send_signal(signal.SIGTERM)
        assert (*process.communicate(timeout=HANG_S), process.returncode) == ("", "", 0)
    finally:
        process.kill()
        process.communicate()


def is_refused(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) != 0
