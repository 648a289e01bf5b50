"""Images that wait for the model: taken together, answered one by one, none forgotten; the same image computed once."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from facemon.errors import FacemonError
from facemon.forked_process import ForkedProcess
from facemon.server.image_answers import AnsweredBatch, AnsweringPredictor
from facemon.server.live_predictions import LivePredictions
from facemon.server.model_workers import InProcess, InThread
from facemon.server.prediction_queue import MOST_AT_ONCE, Predicted, PredictionQueue
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
        def __init__(self, name: str) -> None:
            self.name = name

        async def predict(self, _images: Sequence[ImageInput]) -> AnsweredBatch:
            asked.append(self.name)
            raise FacemonError("no model")

    async def ask() -> None:
        queue = PredictionQueue([Named("a"), Named("b")], list[PredictedBatch]().append)
        for _ in range(3):
            with pytest.raises(FacemonError):
                await queue.submit(image(0))
        await asyncio.gather(queue.submit(image(0)), queue.submit(image(1)), return_exceptions=True)

    asyncio.run(ask())
    assert asked == ["b", "b", "b", "b", "a"]


def test_killed_workers_fail_what_they_had_and_the_last_one_all_that_waits(tmp_path: Path) -> None:
    def work(message: tuple[Sequence[ImageInput], str]) -> AnsweredBatch:
        images, run = message
        if images[0].name == "n66":
            os.kill(os.getpid(), signal.SIGKILL)
        return model.predict(images, run)

    async def ask() -> None:
        queue = PredictionQueue([InProcess(process) for process in processes], list[PredictedBatch]().append)
        with pytest.raises(FacemonError, match="a worker process was killed"):
            await queue.submit(image(66))
        assert (queue.alive, queue.model_answers) == (1, False)
        assert (await queue.submit(image(1))).answer.error is None
        assert queue.model_answers
        last, waiting = queue.submit(image(66)), queue.submit(image(2))
        with pytest.raises(FacemonError, match="a worker process was killed"):
            await last
        for lost in (waiting, queue.submit(image(3))):
            with pytest.raises(FacemonError, match="all worker processes were killed"):
                await lost
        assert queue.alive == 0

    gate = Gate(tmp_path)
    gate.go_on.set()
    model = gate
    processes = [ForkedProcess(lambda: nullcontext(work)) for _ in range(2)]
    try:
        asyncio.run(ask())
    finally:
        for process in processes:
            process.end()
            process.join()


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
