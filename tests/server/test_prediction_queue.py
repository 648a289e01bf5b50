"""Images that wait for the model: taken together, answered one by one, none forgotten; the same image computed once."""

import asyncio
import errno
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as given_by
from hypothesis import strategies as st

from facemon.errors import FacemonError
from facemon.fork_server import Ending
from facemon.predict.worker_processes import forking_server
from facemon.server import live_predictions
from facemon.server.image_answers import AnsweredBatch, AnsweringPredictor
from facemon.server.live_predictions import LivePredictions
from facemon.server.model_workers import InProcess, InThread, WorkerDied
from facemon.server.prediction_queue import PoolStrength, PredictionQueue
from facemon.server.refusal import Refused
from facemon.server.waiting_images import MOST_AT_ONCE, Predicted, is_heavy
from facemon.values.image_input import ImageInput
from facemon.values.prediction import PredictedBatch
from facemon.values.request_outcome import CacheResult
from tests.patience import HANG_S
from tests.predict.predicted import small_model, small_predictor
from tests.server.served_api import picture


class Gate:
    """A real model behind a gate: it notes what it is given, waits until it may go on, and may then fail."""

    def __init__(self, folder: Path) -> None:
        predictor = small_predictor(folder)
        self.attributes = small_model(folder).attributes
        self._model = AnsweringPredictor(
            lambda images, run, origin: predictor.predict(images, run, origin=origin), self.attributes
        )
        self.calls: list[int] = []
        self.go_on = threading.Event()
        self.error: Exception | None = None

    def predict(self, images: Sequence[ImageInput], run: str) -> AnsweredBatch:
        self.calls.append(len(images))
        assert self.go_on.wait(HANG_S)
        if self.error is not None:
            raise self.error
        return self._model.predict(images, run)


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


@contextmanager
def threads(gate: Gate, count: int) -> Iterator[list[InThread]]:
    with ExitStack() as stack:
        yield [stack.enter_context(InThread(gate)) for _ in range(count)]


def image(number: int) -> ImageInput:
    return ImageInput(0, f"n{number}", content=picture((number, 0, 0)), sha256=f"{number:064x}")


async def begun(gate: Gate) -> None:
    while not gate.calls:
        await asyncio.sleep(0.005)


def test_all_that_wait_are_taken_at_once_up_to_eight(gate: Gate) -> None:
    logged: list[PredictedBatch] = []

    async def ask() -> list[Predicted]:
        first = queue.submit(image(0))
        await begun(gate)
        others = [queue.submit(image(number)) for number in range(1, 12)]
        gate.go_on.set()
        return await asyncio.gather(first, *others)

    with threads(gate, 1) as workers:
        queue = PredictionQueue(workers, logged.append)
        answers = asyncio.run(ask())
    assert gate.calls == [1, MOST_AT_ONCE, 3]
    for number, predicted in enumerate(answers):
        assert f'"image": "n{number}"' in predicted.answer.rows[0], "each has its own"
        assert predicted.batch.batch_of(predicted.place).rows["image"].to_pylist() == [f"n{number}"]
    assert [name for batch in logged for name in batch.rows["image"].to_pylist()] == [f"n{n}" for n in range(12)]


@pytest.mark.parametrize("error", [FacemonError("the network gave nothing"), RuntimeError("a fault")])
def test_an_error_reaches_all_who_wait_and_the_next_are_predicted(gate: Gate, error: Exception) -> None:
    logged: list[PredictedBatch] = []
    gate.error = error

    async def ask() -> None:
        waiting = [queue.submit(image(0))]
        await begun(gate)
        waiting += [queue.submit(image(number)) for number in (1, 2)]
        gate.go_on.set()
        assert await asyncio.gather(*waiting, return_exceptions=True) == [error] * 3
        assert queue.model_answers == isinstance(error, RuntimeError)
        assert logged == []
        gate.error = None
        assert (await queue.submit(image(3))).answer.error is None
        assert queue.model_answers

    with threads(gate, 1) as workers:
        queue = PredictionQueue(workers, logged.append)
        asyncio.run(ask())
    assert gate.calls == [1, 2, 1]


def test_the_one_that_was_busy_last_is_asked_first() -> None:
    asked: list[str] = []

    class Named:
        is_alive = True

        def __init__(self, name: str) -> None:
            self.name = name

        async def predict(self, _images: Sequence[ImageInput]) -> AnsweredBatch:
            asked.append(self.name)
            raise FacemonError("no model")

        async def renew(self) -> None:
            raise AssertionError

    async def ask() -> None:
        queue = PredictionQueue([Named("a"), Named("b")], list[PredictedBatch]().append)
        for _ in range(3):
            with pytest.raises(FacemonError):
                await queue.submit(image(0))
        await asyncio.gather(queue.submit(image(0)), queue.submit(image(1)), return_exceptions=True)

    asyncio.run(ask())
    assert asked == ["b", "b", "b", "b", "a"]


class Deadly:
    """A real model, in whose process some images by name end the process."""

    def __init__(self, folder: Path) -> None:
        gate = Gate(folder)
        gate.go_on.set()
        self._model = gate
        self._folder = folder

    def predict(self, images: Sequence[ImageInput], run: str) -> AnsweredBatch:
        for image in images:
            kind, _, number = image.name.partition(" ")
            mark = self._folder / f"killed {number}"
            if image.problem is None and kind == "crash":
                os.abort()
            if image.problem is None and (kind == "kill" or (kind == "once" and not mark.exists())):
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            if kind == "hang" and image.problem is None:
                time.sleep(HANG_S)
        return self._model.predict(images, run)


@contextmanager
def pool(folder: Path, count: int, patience: float = HANG_S) -> Iterator[list[InProcess]]:
    with forking_server(Deadly(folder), count) as server:
        yield [InProcess(server, process, patience) for process in server.first]


def named(name: str, number: int = 0) -> ImageInput:
    return ImageInput(0, f"{name} {number}", content=picture((number, 0, 0)), sha256=f"{number:064x}")


def children_of(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


async def until(happens: Callable[[], bool]) -> None:
    async with asyncio.timeout(HANG_S):
        while not happens():
            await asyncio.sleep(0.01)


def test_threads_may_ask_at_once_whether_a_worker_is_alive(tmp_path: Path) -> None:
    """A scrape does so in a thread, beside the event loop."""
    with pool(tmp_path, 1) as (worker,), ThreadPoolExecutor(8) as asking:
        assert all(asking.map(lambda _: all(worker.is_alive for _ in range(500)), range(64)))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
    assert told == ["an idle worker process has ended; another one takes its place"]


def test_a_worker_that_hangs_is_ended_and_its_image_is_too_slow(tmp_path: Path) -> None:
    async def ask(workers: Sequence[InProcess]) -> Predicted:
        queue = PredictionQueue(workers, list[PredictedBatch]().append)
        return await queue.submit(named("hang"))

    with pool(tmp_path, 1, patience=0.5) as workers:
        answer = asyncio.run(ask(workers)).answer
    assert (answer.error, answer.message) == (
        "too_slow", "the process that predicted it was ended because it did not answer for 0.5 s",
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
    again = f"a worker process could not be started: {os.strerror(errno.EAGAIN)}; it is tried again"
    assert told == ["a worker process was ended by SIGKILL; another one takes its place", again, again]


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
            with pytest.raises(FacemonError, match="the process that begins workers was killed"):
                await lost
        with pytest.raises(FacemonError, match="the process that begins workers was killed"):
            await queue.submit(named("good", 4))

    before = set(children_of(os.getpid()))
    with pool(tmp_path, 2) as workers:
        asyncio.run(ask(workers, max(set(children_of(os.getpid())) - before)))
    assert len(exhausted) == 1


def test_heavy_images_leave_a_worker_for_the_others(gate: Gate) -> None:
    """While heavy ones wait for the gate, light ones are predicted by the worker that is left."""
    heavy = picture((1, 2, 3), (4000, 4000))
    assert is_heavy(heavy)
    assert not is_heavy(picture())

    async def ask() -> None:
        waiting = [queue.submit(image(number), is_heavy=True) for number in range(3)]
        await begun(gate)
        light = queue.submit(image(9))
        await until(lambda: len(gate.calls) == 2)
        gate.go_on.set()
        await asyncio.gather(light, *waiting)

    with threads(gate, 2) as workers:
        queue = PredictionQueue(workers, list[PredictedBatch]().append)
        asyncio.run(ask())
    assert gate.calls == [1, 1, 1, 1]


def test_who_gave_up_keeps_nobody_from_an_answer(gate: Gate) -> None:
    async def ask() -> None:
        first = queue.submit(image(0))
        await begun(gate)
        second, third = queue.submit(image(1)), queue.submit(image(2))
        second.cancel()
        gate.go_on.set()
        assert (await first).answer.error is None
        assert (await third).answer.error is None

    with threads(gate, 1) as workers:
        queue = PredictionQueue(workers, list[PredictedBatch]().append)
        asyncio.run(ask())


def test_heavy_images_do_not_take_all_slots(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_predictions, "MOST_HEAVY", 3)
    heavy = [picture((number, 0, 0), (4000, 4000)) for number in range(4)]

    async def ask() -> None:
        predictions = LivePredictions(
            queue, gate.attributes, list[PredictedBatch]().append, partial(datetime.now, UTC),
            cache_size=0, looked_up=list[CacheResult]().append,
        )  # fmt: skip
        waiting = [asyncio.create_task(predictions.answer(content, None)) for content in heavy[:3]]
        await until(lambda: queue.heavy == 3)
        with pytest.raises(Refused) as refused:
            await predictions.answer(heavy[3], None)
        assert refused.value.code == 503
        shared = asyncio.create_task(predictions.answer(heavy[0], None))
        gate.go_on.set()
        assert [answer.error for answer in await asyncio.gather(*waiting, shared)] == [None] * 4
        assert (await predictions.answer(heavy[3], None)).error is None

    with threads(gate, 2) as workers:
        queue = PredictionQueue(workers, list[PredictedBatch]().append)
        asyncio.run(ask())


@pytest.mark.parametrize("fails", [False, True])
def test_the_same_image_in_flight_is_computed_once_and_logged_for_each(gate: Gate, fails: bool) -> None:
    logged: list[PredictedBatch] = []
    lookups: list[CacheResult] = []

    async def ask() -> None:
        predictions = LivePredictions(
            queue, gate.attributes, logged.append, partial(datetime.now, UTC), cache_size=0, looked_up=lookups.append
        )
        content = picture()
        asked = [asyncio.create_task(predictions.answer(content, source)) for source in ("a", "b", "c")]
        await begun(gate)
        if fails:
            gate.error = FacemonError("the network gave nothing")
        gate.go_on.set()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert gate.calls == [1]
        assert lookups == ["miss", "shared", "shared"]
        if fails:
            assert answers == [gate.error] * 3
            gate.error = None
            assert (await predictions.answer(content, None)).error is None, "an error is not kept"
        else:
            sources = [batch.rows["source"][0].as_py() for batch in logged]
            assert sorted(sources) == ["a", "b", "c"]
            assert sum(len(batch.latencies) > 0 for batch in logged) == 1

    with threads(gate, 2) as workers:
        queue = PredictionQueue(workers, logged.append)
        asyncio.run(ask())


def test_a_crowd_waits_for_its_last_ones_only_a_moment(gate: Gate) -> None:
    gate.go_on.set()

    async def ask() -> None:
        await asyncio.gather(*(queue.submit(image(number)) for number in range(16)))
        # No other request comes: were it to wait for a crowd as large as the last one, it would wait for ever.
        await asyncio.wait_for(queue.submit(image(20)), HANG_S)

    with threads(gate, 1) as workers:
        queue = PredictionQueue(workers, list[PredictedBatch]().append)
        asyncio.run(ask())
