"""`facemon serve` and what would break it: bombs, endless bodies, crowds, a store in trouble, killed workers."""

import json
import os
import resource
import signal
import socket
import sqlite3
import struct
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.acceptance.served import COMMAND, Served, served
from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon

MANY = 2000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_small_model(tmp_path, "api: {workers: 2}\n")
    return tmp_path


def picture(shade: int = 0) -> bytes:
    file = BytesIO()
    Image.new("RGB", (8, 8), (shade % 256, shade // 256, 7)).save(file, "PNG")
    return file.getvalue()


def bomb() -> bytes:
    """A PNG of 60,000 x 60,000 pixels, as its head says."""
    head = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    whole = picture()
    return whole[:8] + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head)) + whole[33:]


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def megabytes(api: Served) -> float:
    """Memory of the server and its workers; what they share counts in each."""
    pages = sum(
        int(Path(f"/proc/{process}/statm").read_text().split()[1])
        for process in (api.process.pid, *children(api.process.pid))
    )
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def until(is_so: Callable[[], bool], within_s: float = 15.0) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_decompression_bomb(folder: Path) -> None:
    with served(folder) as api:
        assert api.ask("POST", "/predict", picture())[0] == 200
        before = megabytes(api)
        for _ in range(5):
            status, text = api.ask("POST", "/predict", bomb())
            assert (status, json.loads(text)["error"]) == (413, "too_large")
        assert megabytes(api) < before + 20


@pytest.mark.slow
@pytest.mark.parametrize("with_length", [True, False])
def test_a_body_of_a_gigabyte(folder: Path, with_length: bool) -> None:
    gigabyte, piece = 10**9, b"x" * 2**20
    length = f"Content-Length: {gigabyte}" if with_length else "Transfer-Encoding: chunked"
    framed = piece if with_length else b"%x\r\n" % len(piece) + piece + b"\r\n"
    with served(folder) as api:
        assert api.ask("POST", "/predict", picture())[0] == 200
        before, most = megabytes(api), 0.0
        with socket.create_connection(("127.0.0.1", api.port), timeout=10) as huge:
            huge.sendall(f"POST /predict HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n".encode())
            answer, sent = b"", 0
            with suppress(ConnectionError):
                while sent < gigabyte and not answer:
                    huge.sendall(framed)
                    sent += len(piece)
                    most = max(most, megabytes(api))
                    huge.settimeout(0.001)
                    with suppress(TimeoutError):
                        answer = huge.recv(65536)
                    huge.settimeout(10)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert sent < 50_000_000, "it did not have to be sent to its end"
        assert most < before + 60
        assert api.ask("POST", "/predict", picture())[0] == 200


def test_a_crowd_of_idle_connections(folder: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(MANY + 500, hard), hard))
    try:
        with served(folder) as api, ExitStack() as stack:
            for number in range(MANY):
                idle = stack.enter_context(socket.create_connection(("127.0.0.1", api.port), timeout=10))
                if number % 2:
                    idle.sendall(b"POST /predict HTTP/1.1\r\nContent-Le")
            assert api.ask("POST", "/predict", picture())[0] == 200
            assert api.ask("GET", "/health")[0] == 200
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_paths_that_do_not_exist_are_one_series(folder: Path) -> None:
    with served(folder) as api:
        for number in range(30):
            assert api.ask("GET", f"/nothing/{number}")[0] == 404
        until(lambda: api.sums("api_requests_total", "endpoint", "code")["unmatched", "404"] == 30)
        assert {endpoint for (endpoint,) in api.sums("api_requests_total", "endpoint")} == {"unmatched", "/metrics"}


def test_a_locked_store_is_waited_for(facemon: RunFacemon, folder: Path) -> None:
    with served(folder) as api:
        other = sqlite3.connect(folder / ".facemon" / "ledger.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        for number in range(20):
            assert api.ask("POST", "/predict", picture(number))[0] == 200
        time.sleep(1)
        assert api.sums("images_processed_total", "status") == {}
        other.execute("COMMIT")
        other.close()
        api.wait_for_images(20)
        assert api.stop() == 0
    assert "ok: 20 rows" in facemon("store", "verify", cwd=folder).stdout


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """The store's folder as a disk of its own, of two megabytes."""
    mounted = folder / "disk"
    mounted.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(mounted)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a disk can be mounted by root only")
    config = folder / "facemon.yaml"
    config.write_text(config.read_text() + "store: {path: disk/store}\n")
    yield mounted
    subprocess.run(["umount", "-l", str(mounted)], check=True)


def test_a_full_disk_is_seen_and_what_waited_is_written_when_there_is_room(
    facemon: RunFacemon, folder: Path, small_disk: Path
) -> None:
    with served(folder) as api:
        assert api.ask("POST", "/predict", picture())[0] == 200
        api.wait_for_images(1)
        ballast = small_disk / "ballast"
        with suppress(OSError), ballast.open("wb") as file:
            while True:
                file.write(bytes(4096))
                file.flush()
        answered = 1
        while "log" not in {name for (name,), up in gauges(api).items() if not up}:
            assert api.ask("POST", "/predict", picture(answered))[0] == 200
            answered += 1
            assert answered < 3000
        assert any("predictions are answered, and wait in memory" in line for line in api.said)
        assert api.ask("GET", "/ready")[0] == 503
        ballast.unlink()
        until(lambda: api.ask("GET", "/ready")[0] == 200)
        api.wait_for_images(answered)
        assert api.stop() == 0
    assert f"ok: {answered} rows" in facemon("store", "verify", cwd=folder).stdout


def gauges(api: Served) -> dict[tuple[str], float]:
    text = api.ask("GET", "/metrics")[1]
    lines = [line for line in text.splitlines() if line.startswith("facemon_source_up{")]
    return {(line.split('"')[1],): float(line.rsplit(" ", 1)[1]) for line in lines}


def test_a_killed_worker_leaves_the_others_and_the_last_one_ends_the_server(facemon: RunFacemon, folder: Path) -> None:
    with served(folder) as api:
        first, second = children(api.process.pid)
        assert api.ask("POST", "/predict", picture(0))[0] == 200
        os.kill(first, signal.SIGKILL)
        statuses = [api.ask("POST", "/predict", picture(number))[0] for number in range(1, 12)]
        assert statuses.count(200) >= 10
        assert set(statuses) <= {200, 500}
        os.kill(second, signal.SIGKILL)
        with suppress(OSError):
            for number in range(3):
                assert api.ask("POST", "/predict", picture(100 + number))[0] == 500
        assert api.process.wait(10) == 1
        until(lambda: any("worker process" in line and "killed" in line for line in api.said))
    assert f"ok: {1 + statuses.count(200)} rows" in facemon("store", "verify", cwd=folder).stdout


def test_quiet_is_silent(folder: Path) -> None:
    command: list[str | Path] = [COMMAND, "serve", "-q", "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    time.sleep(2)
    process.terminate()
    _, said = process.communicate(timeout=10)
    assert (process.returncode, said) == (0, "")


def test_one_worker_is_the_server_itself_and_the_access_log_can_be_left_out(folder: Path) -> None:
    config = folder / "facemon.yaml"
    with served(folder, "--workers", "1") as api:
        assert children(api.process.pid) == []
        assert api.ask("POST", "/predict", picture())[0] == 200
        assert api.ask("GET", "/health")[0] == 200
        until(lambda: len(api.access) == 1)
    config.write_text(config.read_text().replace("api: {workers: 2}", "api: {workers: 1, access_log: false}"))
    with served(folder) as api:
        assert api.ask("POST", "/predict", picture())[0] == 200
        assert api.stop() == 0
        assert api.access == []
