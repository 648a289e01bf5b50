"""The bench's load generator and its meter, against a server and processes of their own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from benchmarks.load_generator import Load, Outcome, send
from benchmarks.process_tree import cpu_seconds_of_tree, megabytes_of_tree, tree
from tests.patience import wait_until

_BURN = "import time\nbegin = time.process_time()\nwhile time.process_time() < begin + 0.5: pass"
_PARENT = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {_BURN!r}])\nprint(flush=True)\ninput()"


class _Server:
    """Answers each request after `delay` seconds as `statuses` say in turn; 0 is no answer."""

    def __init__(self, statuses: tuple[int, ...], delay: float = 0.0) -> None:
        self.bodies: list[bytes] = []
        self._statuses = statuses
        self._delay = delay

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                self.bodies.append(await reader.readexactly(length))
                status = self._statuses[len(self.bodies) % len(self._statuses)]
                await asyncio.sleep(self._delay)
                if not status:
                    break
                # In two parts, as a network may bring it.
                writer.write(f"HTTP/1.1 {status} Whatever\r\nContent-Len".encode())
                await writer.drain()
                await asyncio.sleep(0)
                writer.write(b"gth: 2\r\n\r\nok")
        except (asyncio.IncompleteReadError, ConnectionResetError):
            pass
        finally:
            writer.close()


@pytest.fixture
def images(tmp_path: Path) -> Path:
    (tmp_path / "some").mkdir()
    for number in range(3):
        (tmp_path / "some" / f"{number}.jpg").write_bytes(b"%d" % number)
    return tmp_path


def _sent(server: _Server, images: Path, count: int, connections: int, **options: object) -> Outcome:
    async def run() -> Outcome:
        async with server.listening() as port:
            return await send(Load(port, os.getpid(), str(images), count, connections, **options))  # type: ignore[arg-type]

    return asyncio.run(run())


def test_every_request_has_its_status_and_one_without_answer_is_0(images: Path) -> None:
    server = _Server((200, 200, 503, 0))
    outcome = _sent(server, images, 40, 4)
    assert outcome.statuses == {"0": 10, "200": 20, "503": 10}
    assert len(outcome.latencies) == 40
    assert sorted(server.bodies) == sorted(b"%d" % (number % 3) for number in range(40))


def test_a_rate_is_kept_whatever_the_answers(images: Path) -> None:
    outcome = _sent(_Server((200,), delay=0.3), images, 60, 60, rate=200)
    assert outcome.statuses == {"200": 60}
    assert outcome.seconds > 0.55, "sixty at two hundred a second, and the last answer"
    assert outcome.delayed == 0


def test_requests_that_wait_for_a_connection_are_told(images: Path) -> None:
    assert _sent(_Server((200,), delay=0.2), images, 10, 5, rate=1000).delayed > 0


def test_an_image_in_a_form(images: Path) -> None:
    server = _Server((200,))
    _sent(server, images, 1, 1, field="picture")
    assert b'name="picture"' in server.bodies[0]
    assert b"\r\n\r\n0\r\n--" in server.bodies[0]


def test_a_tree_costs_what_its_ended_children_cost_too() -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        wait_until(lambda: len(list(tree(parent.pid))) == 2)
        parent.stdout.readline()
        assert list(tree(parent.pid)) == [parent.pid]
        assert cpu_seconds_of_tree(parent.pid) >= 0.5
        assert megabytes_of_tree(parent.pid) > 1
        parent.communicate(b"\n")
