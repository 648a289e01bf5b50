"""Sends images to a server and times the answers; a process of its own, so that its cost is not the server's.

    python -m benchmarks.load_generator PLAN

PLAN is a `Load` as JSON; what came of it is printed as the JSON of an `Outcome`.
"""

import asyncio
import json
import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.http_connection import Connection, request_bytes
from benchmarks.process_tree import cpu_seconds_of_each

_PATIENCE_S = 60
"""How long an answer is waited for."""
_BETWEEN_CONNECTIONS_S = 0.01


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent: `count` requests over so many connections, each image in turn.

    Without a `rate` each connection sends its next request when the last one is answered. With one, requests are sent
    so many a second whatever the answers; one that finds every connection waiting is sent as soon as one is free.
    """

    port: int
    process: int
    """The server's, whose tree's cost is taken from when all connections are open to the last answer."""
    images: str
    count: int
    connections: int
    rate: float | None = None
    field: str | None = None
    """The field of a form that the image is sent as; none = it is the body."""


@dataclass(slots=True)
class Outcome:
    """What came of a load. A status of 0 is a request that was never answered."""

    seconds: float = 0.0
    cpu_of_processes: list[float] = field(default_factory=list)
    """Processor seconds of each of the server's processes, from the one that used the most on."""
    statuses: dict[str, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    """Seconds from the first byte sent to the last received, in the order of the answers."""
    delayed: int = 0
    """How many requests had to wait for a free connection."""

    @property
    def cpu_seconds(self) -> float:
        """Processor seconds of the whole server."""
        return sum(self.cpu_of_processes)


async def send(load: Load) -> Outcome:
    """Send all, wait for the answers."""
    files = sorted(Path(load.images).rglob("*.jpg"))
    requests = [request_bytes(path.read_bytes(), load.port, load.field) for path in files]
    generator = _Generator(load, requests)
    connections = await _opened(load)
    before, begin = cpu_seconds_of_each(load.process), time.perf_counter()
    await (generator.closed(connections) if load.rate is None else generator.paced(connections, load.rate))
    generator.outcome.seconds = time.perf_counter() - begin
    after = cpu_seconds_of_each(load.process)
    used = [seconds - before.get(process, 0.0) for process, seconds in after.items()]
    generator.outcome.cpu_of_processes = sorted(used, reverse=True)
    for connection in connections:
        connection.close()
    generator.outcome.statuses = {str(status): count for status, count in sorted(generator.statuses.items())}
    return generator.outcome


async def _opened(load: Load) -> list[Connection]:
    """One after the other, so that a server's processes share them: at once, the first to wake takes all."""
    connections = [Connection(load.port) for _ in range(load.connections)]
    for connection in connections:
        await connection.open()
        await asyncio.sleep(_BETWEEN_CONNECTIONS_S)
    return connections


class _Generator:
    def __init__(self, load: Load, requests: Sequence[bytes]) -> None:
        self.outcome = Outcome()
        self.statuses = Counter[int]()
        self._load = load
        self._requests = requests
        self._sent = 0

    async def closed(self, connections: Sequence[Connection]) -> None:
        await asyncio.gather(*map(self._one_after_the_other, connections))

    async def _one_after_the_other(self, connection: Connection) -> None:
        while self._sent < self._load.count:
            await self._send_next(connection)

    async def paced(self, connections: Sequence[Connection], rate: float) -> None:
        """Connections are taken in turn, so that none is idle for long enough to be closed by the server."""
        free = deque(connections)
        somebody_is_free = asyncio.Event()
        under_way = set[asyncio.Task[None]]()

        async def one(connection: Connection) -> None:
            await self._send_next(connection)
            free.append(connection)
            somebody_is_free.set()

        begin = time.perf_counter()
        for number in range(self._load.count):
            await asyncio.sleep(max(0.0, begin + number / rate - time.perf_counter()))
            self.outcome.delayed += not free
            while not free:
                somebody_is_free.clear()
                await somebody_is_free.wait()
            task = asyncio.create_task(one(free.popleft()))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        await asyncio.gather(*under_way)

    async def _send_next(self, connection: Connection) -> None:
        request = self._requests[self._sent % len(self._requests)]
        self._sent += 1
        begin = time.perf_counter()
        try:
            async with asyncio.timeout(_PATIENCE_S):
                status = await connection.exchange(request)
        except (OSError, TimeoutError):
            status = 0
            connection.close()
        self.outcome.latencies.append(time.perf_counter() - begin)
        self.statuses[status] += 1


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(send(Load(**json.loads(sys.argv[1])))))))
