"""Attacks on a running API, all at once, from addresses of their own on the loopback network; a process of its own.

    python -m benchmarks.attackers PLAN

PLAN is an `Assault` as JSON. What the attacks were answered is printed as JSON: by attack, how often each status came.
"""

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process_tree import children, tree

_PATIENCE_S = 20.0
_SLOW_BODIES, _SLOW_HEADS, _IDLE, _UNREAD = 64, 64, 256, 4
_GIGABYTES = 10 * 2**30
_ACCEPTS = (
    "application/openmetrics-text;version=zz", "application/openmetrics-text;q=x,*/*;q=-1", "text/plain;version=",
    ";;;", "*/*;q=", "application/vnd.google.protobuf", "\x7f", "a/b" * 400,
)  # fmt: skip
_BYTE = b"x"


@dataclass(frozen=True, slots=True)
class Assault:
    """What is attacked and for how long; `bombs` is a folder of images that are costly to decode."""

    port: int
    process: int
    """The server's main process, whose workers are killed and which is sent SIGHUP."""
    seconds: float
    bombs: str
    image: str
    seed: int = 0


class _Attacks:
    def __init__(self, assault: Assault) -> None:
        self.answers: dict[str, Counter[str]] = {}
        self._assault = assault
        self._until = time.monotonic() + assault.seconds
        self._rng = random.Random(assault.seed)  # noqa: S311 - no secret
        self._image = Path(assault.image).read_bytes()
        self._bombs = [path.read_bytes() for path in sorted(Path(assault.bombs).iterdir())]

    async def run(self) -> None:
        many: Sequence[tuple[Callable[[str], Awaitable[None]], int]] = (
            (self._slow_body, _SLOW_BODIES), (self._slow_head, _SLOW_HEADS), (self._idle, _IDLE),
            (self._unread, _UNREAD), (self._bomb, 2), (self._huge_length, 2), (self._endless_chunks, 2),
            (self._garbage, 2), (self._accept, 1), (self._foreign_page, 1), (self._new_source, 1),
        )  # fmt: skip
        tasks = [
            self._again_and_again(attack, f"127.0.1.{number + 1}")
            for number, (attack, count) in enumerate(many)
            for _ in range(count)
        ]
        await asyncio.gather(*tasks, self._kill_workers(), self._reload())

    async def _again_and_again(self, attack: Callable[[str], Awaitable[None]], address: str) -> None:
        name = attack.__name__.removeprefix("_").replace("_", " ")
        answers = self.answers.setdefault(name, Counter())
        while self._is_on():
            try:
                async with asyncio.timeout(min(_PATIENCE_S, max(0.1, self._until - time.monotonic()))):
                    await attack(address)
            except _Answered as answered:
                answers[answered.status] += 1
            except TimeoutError:
                answers["no answer"] += 1
            except (OSError, EOFError):
                answers["closed"] += 1
            await asyncio.sleep(self._rng.uniform(0, 0.5))

    def _is_on(self) -> bool:
        return time.monotonic() < self._until

    async def _slow_body(self, address: str) -> None:
        async with self._connected(address) as (reader, writer):
            writer.write(self._head("POST /predict", "Content-Length: 200000"))
            await _trickle(reader, writer, 1.0)

    async def _slow_head(self, address: str) -> None:
        async with self._connected(address) as (reader, writer):
            writer.write(b"POST /predict HTTP/1.1\r\nX: ")
            await _trickle(reader, writer, 1.0)

    async def _idle(self, address: str) -> None:
        async with self._connected(address) as (reader, _):
            await _status(reader)

    async def _unread(self, address: str) -> None:
        """Ask for many pages and read none."""
        async with self._connected(address) as (_, writer):
            writer.write(self._head("GET /docs") * 200)
            await writer.drain()
            await asyncio.sleep(_PATIENCE_S)

    async def _bomb(self, address: str) -> None:
        # Another hash each time, so that no answer is remembered.
        await self._send(address, self._rng.choice(self._bombs) + self._rng.randbytes(8))
        await asyncio.sleep(1)

    async def _huge_length(self, address: str) -> None:
        async with self._connected(address) as (reader, writer):
            writer.write(self._head("POST /predict", f"Content-Length: {_GIGABYTES}"))
            await _pour(reader, writer, bytes(2**16))

    async def _endless_chunks(self, address: str) -> None:
        async with self._connected(address) as (reader, writer):
            writer.write(self._head("POST /predict", "Transfer-Encoding: chunked"))
            await _pour(reader, writer, b"1000\r\n" + bytes(2**12) + b"\r\n")

    async def _garbage(self, address: str) -> None:
        async with self._connected(address) as (reader, writer):
            writer.write(self._rng.randbytes(self._rng.randrange(1, 5000)))
            await _status(reader)

    async def _accept(self, address: str) -> None:
        await self._ask(address, self._head("GET /metrics", f"Accept: {self._rng.choice(_ACCEPTS)}"))

    async def _foreign_page(self, address: str) -> None:
        host, origin = self._rng.choice((("127.0.0.1", "Origin: http://evil.example"), ("evil.example", "X: y")))
        await self._send(address, self._image + self._rng.randbytes(8), host=host, more=(origin,))

    async def _new_source(self, address: str) -> None:
        name = self._rng.choice((self._rng.randbytes(6).hex(), "%ff%fe", "a%00b"))
        await self._send(address, self._image + self._rng.randbytes(8), query=f"?source={name}")

    async def _send(
        self, address: str, body: bytes, *, query: str = "", host: str = "127.0.0.1", more: Sequence[str] = ()
    ) -> None:
        head = self._head(f"POST /predict{query}", f"Content-Length: {len(body)}", *more, host=host)
        await self._ask(address, head + body)

    async def _ask(self, address: str, request: bytes) -> None:
        async with self._connected(address) as (reader, writer):
            writer.write(request)
            await writer.drain()
            await _status(reader)

    def _head(self, request: str, *headers: str, host: str = "127.0.0.1") -> bytes:
        lines = (f"{request} HTTP/1.1", f"Host: {host}:{self._assault.port}", *headers, "", "")
        return "\r\n".join(lines).encode("latin-1")

    @asynccontextmanager
    async def _connected(self, address: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._assault.port, local_addr=(address, 0))
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    async def _kill_workers(self) -> None:
        """Kill one of the processes that predict, as the kernel does when memory runs out.

        They are children of the process that begins them. The one that writes the log is a child of the server itself:
        the server ends with it, by design.
        """
        killed = self.answers.setdefault("killed workers", Counter())
        while self._is_on():
            await asyncio.sleep(self._rng.uniform(10, 20))
            predicting = [each for child in children(self._assault.process) for each in list(tree(child))[1:]]
            busiest = sorted(predicting, key=_cpu_ticks)[-1:]
            for worker in busiest:
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
                    killed["killed"] += 1

    async def _reload(self) -> None:
        while self._is_on():
            await asyncio.sleep(self._rng.uniform(5, 15))
            with suppress(ProcessLookupError):
                os.kill(self._assault.process, signal.SIGHUP)


class _Answered(Exception):
    """The server answered."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


async def _status(reader: asyncio.StreamReader) -> None:
    line = await reader.readline()
    if not line:
        raise EOFError
    raise _Answered(line.split()[1].decode("latin-1"))


async def _trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    """Send a byte now and then until an answer comes."""
    answer = asyncio.ensure_future(_status(reader))
    try:
        while not answer.done():
            writer.write(_BYTE)
            await asyncio.wait([answer], timeout=seconds)
        await answer
    finally:
        answer.cancel()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, part: bytes) -> None:
    """Send as fast as the server takes it, some megabytes a second at most, until an answer comes."""
    answer = asyncio.ensure_future(_status(reader))
    try:
        while not answer.done():
            writer.write(part)
            await writer.drain()
            await asyncio.wait([answer], timeout=0.05)
        await answer
    finally:
        answer.cancel()


def _cpu_ticks(process: int) -> int:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return -1
    return int(fields[11]) + int(fields[12])


async def _assail(assault: Assault) -> dict[str, Counter[str]]:
    attacks = _Attacks(assault)
    await attacks.run()
    return attacks.answers


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_assail(Assault(**json.loads(sys.argv[1]))))))
