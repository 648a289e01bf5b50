"""The process that speaks to a cluster of Ray for a run; the one module that imports Ray.

It is a process of its own, because Ray's core ends its process when it loses the cluster, writes to stderr, retries a
connection for minutes, and has threads.
"""

import os
import pickle
import select
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from facemon import message_socket
from facemon.available_cores import available_cores
from facemon.domain.shard_outcome import ShardEnd, ShardOutcome
from facemon.errors import UsageError
from facemon.forked_process import answer_messages
from facemon.schedulers.ray_actor import Node, ShardWorker
from facemon.schedulers.ray_errors import reason_of, unreached
from facemon.schedulers.ray_settings import TOKENS
from facemon.schedulers.scheduler import Event, OpensShards, Placement, ShardEnded, WorkerBegan, WorkerLost, WorkerReady
from facemon.version import __version__

_OPEN_S = 600.0
"""The longest that a node may take to open the model, from a slow disk for example."""
_SHARD_S = 12 * 3600.0 + 600
"""The longest that a shard may take: a delivery is refused 12 hours after its attempt began."""
_GET_S = 60.0
"""The longest that fetching a small answer may take once it is there."""
_OBJECTS_BYTES = 100 * 2**20
"""Memory for Ray's objects in a cluster that ends with the run: little travels, and Ray would take a third of all."""
_LEFT_S = 20.0
"""How long it may take to leave a cluster, or to end the one that was started here."""


@dataclass(slots=True)
class _Call:
    """A call of a worker whose answer is awaited."""

    worker: int
    what: str
    until: float
    """By the monotonic clock; the worker is ended then."""


class _RayWorkers:
    """The actors of one run."""

    def __init__(self, ray: Any, open_shards: bytes, placement: Placement) -> None:
        self._ray = ray
        self._open_shards = open_shards
        self._placement = placement
        # The driver starts another actor, and another try of a shard, itself: Ray would do either without an end.
        self._actor = ray.remote(ShardWorker).options(
            num_cpus=placement.cpus, num_gpus=placement.gpus, max_restarts=0, max_task_retries=0
        )
        self._actors: dict[int, Any] = {}
        self._calls: dict[Any, _Call] = {}
        self._hosts: dict[int, str] = {}

    def room(self) -> int:
        """How many workers the resources of all nodes are enough for."""
        there = self._ray.cluster_resources()
        each = {"CPU": self._placement.cpus, "GPU": self._placement.gpus}
        return int(min(there.get(name, 0.0) // amount for name, amount in each.items() if amount))

    def start(self, worker: int) -> None:
        """Ask for an actor; it is there once it says where it is, which may never happen."""
        actor = self._actors[worker] = self._actor.remote()
        self._call(worker, "node", actor.node.remote(), float("inf"))

    def give(self, worker: int, shard: int) -> None:
        """Have an actor predict a shard."""
        self._call(worker, "predict", self._actors[worker].predict.remote(shard), _SHARD_S)

    def events(self, wait_s: float) -> list[Event]:
        """Return what has happened, at the latest after `wait_s`."""
        if not self._calls:
            time.sleep(wait_s)
            return []
        waiting = list(self._calls)
        done, _ = self._ray.wait(waiting, num_returns=1, timeout=wait_s)
        if done:  # and what else is there by now
            done, _ = self._ray.wait(waiting, num_returns=len(waiting), timeout=0)
        return [self._answered(reference) for reference in done] + self._overdue()

    def _call(self, worker: int, what: str, reference: Any, limit_s: float) -> None:
        self._calls[reference] = _Call(worker, what, time.monotonic() + limit_s)

    def _answered(self, reference: Any) -> Event:
        call = self._calls.pop(reference)
        try:
            answer = self._ray.get(reference, timeout=_GET_S)
        except self._ray.exceptions.RayError as error:
            return self._lost(call.worker, reason_of(error))
        match answer:
            case Node():
                self._hosts[call.worker] = answer.host
                _refuse_node(answer)
                opened = self._actors[call.worker].open.remote(self._open_shards)
                self._call(call.worker, "open", opened, _OPEN_S)
                return WorkerBegan(call.worker)
            case ShardOutcome() if call.what == "predict":
                return ShardEnded(call.worker, answer)
            case ShardOutcome(end=ShardEnd.REFUSED):
                raise UsageError(f"{self._hosts[call.worker]}: {answer.message}", answer.hint)
            case ShardOutcome():
                return self._lost(call.worker, answer.message)
            case _:
                return WorkerReady(call.worker, self._hosts[call.worker])

    def _overdue(self) -> list[Event]:
        now = time.monotonic()
        late = [(reference, call) for reference, call in self._calls.items() if call.until <= now]
        for reference, _ in late:
            del self._calls[reference]
        return [self._lost(call.worker, f"{call.what} took too long") for _, call in late]

    def _lost(self, worker: int, why: str) -> WorkerLost:
        host = self._hosts.pop(worker, None)
        self._ray.kill(self._actors.pop(worker), no_restart=True)
        return WorkerLost(worker, f"{host}: {why}" if host else why)


def _refuse_node(node: Node) -> None:
    """UsageError for a node that would predict otherwise, or that anyone may run code on."""
    if node.facemon != __version__:
        raise UsageError(
            f"the node {node.host} has facemon {node.facemon}, and this machine {__version__}",
            f"on each node: pip install 'facemon[ray]=={__version__}'",
        )
    if node.auth_mode.lower() != TOKENS:
        raise UsageError(
            f"the node {node.host} was started without token authentication",
            "export RAY_AUTH_MODE=token on each node before ray start, with the same token",
        )


@contextmanager
def _connected(placement: Placement, temporary: str) -> Iterator[Any]:
    """Ray, connected to a cluster, or to one that is started here and ends with the block."""
    import ray

    options: dict[str, Any] = {"address": placement.address, "log_to_driver": False, "logging_level": "ERROR"}
    if placement.address is None:
        options |= {
            "address": "local", "include_dashboard": False, "num_cpus": available_cores(), "_temp_dir": temporary,
            "_node_ip_address": "127.0.0.1", "object_store_memory": _OBJECTS_BYTES,
        }  # fmt: skip
    try:
        ray.init(**options)
    except (Exception, SystemExit) as error:
        raise unreached(placement, error) from error
    try:
        yield ray
    finally:
        ray.shutdown()


@contextmanager
def _answering(message: tuple[OpensShards, Placement, str]) -> Iterator[Callable[[Any], object]]:
    open_shards, placement, temporary = message
    # Ray puts the current folder before all others where its workers look for modules, on each node.
    os.chdir(temporary)
    with _connected(placement, temporary) as ray:
        workers = _RayWorkers(ray, pickle.dumps(open_shards), placement)

        def answer(asked: tuple[str, Sequence[Any]]) -> object:
            name, values = asked
            return getattr(workers, name)(*values)

        yield answer


def _end_with(connection: socket.socket, temporary: str) -> None:
    """End this process soon after the other side of a socket has gone, whatever Ray is doing."""
    watch = select.poll()
    watch.register(connection, select.POLLRDHUP)
    watch.poll()
    time.sleep(_LEFT_S)
    shutil.rmtree(temporary, ignore_errors=True)
    # Ray's own processes have asked the kernel to end with this one.
    os._exit(1)


def main(number: int) -> None:
    """Answer the messages that come over an inherited socket, until its other side is closed."""
    connection = socket.socket(fileno=number)
    first = cast("tuple[OpensShards, Placement, str]", message_socket.receive(connection))
    threading.Thread(target=_end_with, args=(connection, first[2]), daemon=True).start()
    # Of the group of facemon's process, which a terminal interrupts as a whole: the run itself ends this one.
    os.setpgid(0, 0)
    answer_messages(lambda: _answering(first), connection)
    # facemon's process does the same, unless it was killed.
    shutil.rmtree(first[2], ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
