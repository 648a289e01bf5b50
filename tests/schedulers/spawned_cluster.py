"""A cluster that facemon does not have: a fresh interpreter of this machine for each worker, some of them killed."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue

from facemon import message_socket
from facemon.domain.shard_outcome import ShardOutcome
from facemon.errors import FacemonError
from facemon.forked_process import AnsweringProcess, ProcessEnded
from facemon.schedulers.scheduler import (
    Event,
    OpensShards,
    Placement,
    ShardEnded,
    WorkerBegan,
    WorkerLost,
    WorkerReady,
    Workers,
)

ROOT = Path(__file__).parents[2]


class Spawned:
    """Processes of this machine; those of `killed` are killed at their shard with this number, counted from 1.

    The cluster is lost once so many shards as `lost_after` were delivered.
    """

    name = "spawned"

    def __init__(self, room: int = 1, killed: Mapping[int, int] | None = None, lost_after: int | None = None) -> None:
        self.room = room
        self.lost_after = lost_after
        self.killed = dict(killed or {})
        self.given: list[tuple[int, int]] = []

    def refuse(self, placement: Placement) -> None:
        """Refuse none."""

    @contextmanager
    def opened(self, open_shards: OpensShards, placement: Placement) -> Iterator[Workers]:
        """Begin the processes when they are asked for; they end with the block."""
        del placement
        workers = _Spawned(self, open_shards)
        try:
            yield workers
        finally:
            workers.end()


class _Spawned:
    def __init__(self, cluster: Spawned, open_shards: OpensShards) -> None:
        self.room = cluster.room
        self._cluster = cluster
        self._open_shards = open_shards
        self._happened: SimpleQueue[Event] = SimpleQueue()
        self._ended = 0
        self._processes: dict[int, tuple[AnsweringProcess, subprocess.Popen[bytes]]] = {}

    def start(self, worker: int) -> None:
        ours, theirs = socket.socketpair()
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.schedulers.spawned_cluster", str(theirs.fileno())],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        self._processes[worker] = (AnsweringProcess(ours), process)
        message_socket.send(ours, self._open_shards)
        self._happened.put(WorkerBegan(worker))
        threading.Thread(target=self._ask, args=(worker, 0)).start()

    def give(self, worker: int, shard: int) -> None:
        self._cluster.given.append((worker, shard))
        number = sum(each == worker for each, _ in self._cluster.given)
        if self._cluster.killed.get(worker) == number:
            self._processes[worker][1].kill()
        threading.Thread(target=self._ask, args=(worker, shard)).start()

    def events(self, wait_s: float) -> Sequence[Event]:
        if self._ended == self._cluster.lost_after:
            raise FacemonError("the cluster was lost", "start it again")
        try:
            event = self._happened.get(timeout=wait_s)
        except Empty:
            return []
        self._ended += isinstance(event, ShardEnded)
        return [event]

    def end(self) -> None:
        for connection, process in self._processes.values():
            connection.end()
            process.kill()
            process.wait()

    def _ask(self, worker: int, shard: int) -> None:
        try:
            answer: ShardOutcome | str = self._processes[worker][0].ask(shard)
        except ProcessEnded:
            self._happened.put(WorkerLost(worker, "the process was killed"))
        else:
            event = WorkerReady(worker, answer) if isinstance(answer, str) else ShardEnded(worker, answer)
            self._happened.put(event)


def main(number: int) -> None:
    """Open the model that comes first, then predict the shards whose numbers come."""
    connection = socket.socket(fileno=number)
    shards = message_socket.receive(connection)()
    try:
        while True:
            shard = message_socket.receive(connection)
            message_socket.send(connection, shards.predict(shard) if shard else "here")
    except (EOFError, OSError):
        return


if __name__ == "__main__":
    main(int(sys.argv[1]))
