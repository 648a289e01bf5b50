"""Workers of the API that end: replaced, and their images tried again, each answered and logged once."""

import asyncio
import errno
import os
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as given_by
from hypothesis import strategies as st

from facemon.domain.image_input import ImageInput
from facemon.domain.prediction import ErrorCode, PredictedBatch
from facemon.engines.processes import forking_server
from facemon.errors import FacemonError
from facemon.fork_server import Ending
from facemon.server.image_answers import AnsweredBatch
from facemon.server.model_workers import InProcess, InThread, WorkerDied
from facemon.server.prediction_queue import PoolStrength, PredictionQueue
from facemon.server.waiting_images import Predicted
from tests.patience import HANG_S
from tests.server.gated_model import Gate, image, until
from tests.server.served_api import picture
from tests.short_form import examples

LOWEST = 19
"""The lowest priority that Linux has."""


class Deadly:
    """A real model, in whose process some images by name end the process."""

    def __init__(self, folder: Path) -> None:
        gate = Gate(folder)
        gate.go_on.set()
        self._model = gate
        self._folder = folder

    def predict(self, images: Sequence[ImageInput], run: str) -> AnsweredBatch:
        for each in images:
            kind, _, number = each.name.partition(" ")
            with (self._folder / f"by {os.getpid()}").open("a") as done:
                done.write(f"{number}\n")
            mark = self._folder / f"killed {number}"
            if each.problem is None and kind == "crash":
                os.abort()
            if each.problem is None and (kind == "kill" or (kind == "once" and not mark.exists())):
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            if kind == "hang" and each.problem is None:
                time.sleep(HANG_S)
        return self._model.predict(images, run)


@contextmanager
def pool(folder: Path, count: int, patience: float = HANG_S) -> Iterator[list[InProcess]]:
    with forking_server(Deadly(folder), count) as server:
        yield [InProcess(server, process, patience) for process in server.first]


def are_dead(workers: Sequence[InProcess], count: int) -> bool:
    return sum(not worker.is_alive for worker in workers) == count


def named(name: str, number: int = 0) -> ImageInput:
    return ImageInput(0, f"{name} {number}", content=picture((number, 0, 0)), sha256=f"{number:064x}")


def children_of(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def test_threads_may_ask_at_once_whether_a_worker_is_alive(tmp_path: Path) -> None:
    """A scrape does so in a thread, beside the event loop."""
    with pool(tmp_path, 1) as (worker,), ThreadPoolExecutor(8) as asking:
        assert all(asking.map(lambda _: all(worker.is_alive for _ in range(500)), range(64)))


@settings(
    max_examples=examples(0.2),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given_by(
    st.lists(st.sampled_from(("good", "good", "good", "crash", "kill", "once")), min_size=1, max_size=8),
    st.integers(1, 3),
)
def test_each_image_is_answered_and_logged_once_whatever_dies(tmp_path: Path, kinds: list[str], count: int) -> None:
    """The law of trying again: an image is an error just where its own worker died of it, and no row is lost."""
    logged: list[PredictedBatch] = []
    folder = Path(mkdtemp(dir=tmp_path))

    async def ask(workers: Sequence[InProcess]) -> list[Predicted]:
        queue = PredictionQueue(workers, logged.append)
        answers = await asyncio.gather(*(queue.submit(named(kind, number)) for number, kind in enumerate(kinds)))
        await until(lambda: queue.strength == PoolStrength(count, count))
        return answers

    with pool(folder, count) as workers:
        answers = asyncio.run(ask(workers))
    errors = [predicted.answer.error for predicted in answers]
    assert errors == ["crashed" if kind in ("crash", "kill") else None for kind in kinds]
    names = [name for batch in logged for name in batch.rows["image"].to_pylist()]
    assert sorted(names) == sorted(f"{kind} {number}" for number, kind in enumerate(kinds))


def test_idle_workers_that_end_are_replaced_before_they_are_needed(tmp_path: Path) -> None:
    told: list[str] = []

    async def ask(workers: Sequence[InProcess], process: int) -> None:
        queue = PredictionQueue(workers, list[PredictedBatch]().append, tell=told.append)
        os.kill(process, signal.SIGKILL)
        await until(lambda: queue.strength == PoolStrength(1, 2))
        await queue.replace_dead()
        await until(lambda: queue.strength == PoolStrength(2, 2))

    before = set(children_of(os.getpid()))
    with pool(tmp_path, 2) as workers:
        first = min(set(children_of(os.getpid())) - before)
        asyncio.run(ask(workers, first))
    assert told == ["an idle worker process has ended; a new one is started"]


def test_heavy_images_that_end_their_workers_leave_room_for_others(tmp_path: Path) -> None:
    """More of them than may wait at once, one after the other."""

    async def ask(workers: Sequence[InProcess]) -> None:
        queue = PredictionQueue(workers, list[PredictedBatch]().append, lanes=1)
        for number in range(3):
            assert (await queue.submit(named("crash", number), is_heavy=True)).answer.error is ErrorCode.CRASHED
            assert queue.heavy == 0
        assert (await queue.submit(named("good"), is_heavy=True)).answer.error is None

    with pool(tmp_path, 2) as workers:
        asyncio.run(asyncio.wait_for(ask(workers), HANG_S))


def test_heavy_images_go_to_the_worker_of_low_priority(tmp_path: Path) -> None:
    """And those that are done soon do not, while another one is left; the one that replaces it has its priority."""

    async def ask(workers: Sequence[InProcess]) -> None:
        queue = PredictionQueue(workers, list[PredictedBatch]().append, lanes=2)
        for number in range(4):
            heavy, light = named("good", 100 + number), named("good", number)
            await asyncio.gather(queue.submit(heavy, is_heavy=True), queue.submit(light))
            await queue.submit(named("good", 10 + number))
        done = {worker: (tmp_path / f"by {worker.pid}").read_text().split() for worker in workers[::2]}
        assert done[workers[0]] == ["100", "101", "102", "103"]
        assert not {*done[workers[0]]} & {*done[workers[2]]}
        assert (await queue.submit(named("crash"), is_heavy=True)).answer.error is ErrorCode.CRASHED
        await until(lambda: workers[0].is_alive)
        assert [os.getpriority(os.PRIO_PROCESS, worker.pid) for worker in workers] == [
            min(base + 5, LOWEST),
            base,
            base,
        ]

    base = os.getpriority(os.PRIO_PROCESS, 0)
    with forking_server(Deadly(tmp_path), 3) as server:
        niceness = [5, 0, 0]
        workers = [
            InProcess(server, each, HANG_S, niceness=nice) for each, nice in zip(server.first, niceness, strict=True)
        ]
        asyncio.run(asyncio.wait_for(ask(workers), HANG_S))


def test_a_spare_worker_takes_the_place_of_one_that_ended(tmp_path: Path) -> None:
    """The strength is told by lanes: one worker may be missing before any of them is."""

    async def ask(workers: Sequence[InProcess], processes: Sequence[int]) -> None:
        queue = PredictionQueue(workers, list[PredictedBatch]().append, lanes=2)
        for dead, process in enumerate(processes, 1):
            os.kill(process, signal.SIGKILL)
            await until(partial(are_dead, workers, dead))
            assert queue.strength == PoolStrength(min(2, 3 - dead), 2)

    before = set(children_of(os.getpid()))
    with pool(tmp_path, 3) as workers:
        asyncio.run(ask(workers, sorted(set(children_of(os.getpid())) - before)[:3]))


def test_a_worker_that_hangs_is_ended_and_its_image_is_too_slow(tmp_path: Path) -> None:
    async def ask(workers: Sequence[InProcess]) -> Predicted:
        queue = PredictionQueue(workers, list[PredictedBatch]().append)
        return await queue.submit(named("hang"))

    # Long enough for the row with the error, which is predicted too, on a machine that is busy.
    patience = HANG_S / 120
    with pool(tmp_path, 1, patience) as workers:
        answer = asyncio.run(ask(workers)).answer
    assert (answer.error, answer.message) == (
        "too_slow", f"the process that predicted it was ended because it did not answer for {patience:g} s",
    )  # fmt: skip


def test_a_worker_that_dies_again_and_again_begins_later_each_time(tmp_path: Path) -> None:
    begun: list[float] = []

    class Dying(InThread):
        is_alive = True

        async def predict(self, _images: Sequence[ImageInput]) -> AnsweredBatch:
            raise WorkerDied(Ending(signal.SIGKILL))

        async def renew(self) -> None:
            begun.append(time.monotonic())

    async def ask() -> None:
        queue = PredictionQueue([worker], list[PredictedBatch]().append)
        with pytest.raises(FacemonError, match="killed again and again"):
            await queue.submit(named("good"))

    gate = Gate(tmp_path)
    with Dying(gate) as worker:
        asyncio.run(ask())
    pauses = [later - earlier for earlier, later in pairwise(begun)]
    assert len(pauses) == 3
    assert all(later > 1.3 * earlier for earlier, later in pairwise(pauses)), pauses


def test_a_worker_for_which_there_is_no_room_is_tried_again(tmp_path: Path) -> None:
    told: list[str] = []

    class Crowded(InThread):
        is_alive = True
        tries = 0

        async def predict(self, images: Sequence[ImageInput]) -> AnsweredBatch:
            if not self.tries:
                raise WorkerDied(Ending(signal.SIGKILL))
            return await super().predict(images)

        async def renew(self) -> None:
            self.tries += 1
            if self.tries < 3:
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    async def ask() -> None:
        queue = PredictionQueue([worker], list[PredictedBatch]().append, tell=told.append)
        assert (await queue.submit(image(1))).answer.error is None
        assert queue.strength == PoolStrength(1, 1)

    gate = Gate(tmp_path)
    gate.go_on.set()
    with Crowded(gate) as worker:
        asyncio.run(ask())
    again = f"a worker process could not be started: {os.strerror(errno.EAGAIN)}; facemon tries again"
    assert told == ["a worker process was ended by SIGKILL; a new one is started", again, again]


def test_without_the_server_that_begins_workers_the_last_ones_death_ends_all(tmp_path: Path) -> None:
    exhausted: list[FacemonError] = []

    async def ask(workers: Sequence[InProcess], server: int) -> None:
        queue = PredictionQueue(workers, list[PredictedBatch]().append, exhausted=exhausted.append)
        os.kill(server, signal.SIGKILL)
        crashing = queue.submit(named("crash"))
        assert (await crashing).answer.error == "crashed"
        assert queue.strength == PoolStrength(1, 2)
        last, waiting = queue.submit(named("kill", 1)), queue.submit(named("good", 2))
        for lost in (last, waiting, queue.submit(named("good", 3))):
            with pytest.raises(FacemonError, match="the process that starts workers was killed"):
                await lost
        with pytest.raises(FacemonError, match="the process that starts workers was killed"):
            await queue.submit(named("good", 4))

    before = set(children_of(os.getpid()))
    with pool(tmp_path, 2) as workers:
        asyncio.run(ask(workers, max(set(children_of(os.getpid())) - before)))
    assert len(exhausted) == 1
