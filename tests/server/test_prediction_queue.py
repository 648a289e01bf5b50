"""Images that wait for the model: taken together, answered one by one, none forgotten; the same image computed once."""

import asyncio
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from facemon.errors import FacemonError
from facemon.server.image_answers import AnsweredBatch, AnsweringPredictor
from facemon.server.live_predictions import LivePredictions
from facemon.server.prediction_queue import MOST_AT_ONCE, Predicted, PredictionQueue
from facemon.values.image_input import ImageInput
from facemon.values.prediction import PredictedBatch
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
        assert self.go_on.wait(10)
        if self.error is not None:
            raise self.error
        return self._model.predict(images, run)


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


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

    with PredictionQueue(gate, logged.append, threads=1) as queue:
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

    with PredictionQueue(gate, logged.append, threads=1) as queue:
        asyncio.run(ask())
    assert gate.calls == [1, 2, 1]


def test_its_end_predicts_what_waits(gate: Gate) -> None:
    logged: list[PredictedBatch] = []

    async def ask() -> None:
        with PredictionQueue(gate, logged.append, threads=2) as queue:
            waiting = [queue.submit(image(0))]
            await begun(gate)
            waiting += [queue.submit(image(number)) for number in range(1, 20)]
            threading.Timer(0.05, gate.go_on.set).start()
        answers = await asyncio.gather(*waiting)
        assert len(answers) == 20

    asyncio.run(ask())
    assert sum(len(batch.ordinals) for batch in logged) == 20


def test_who_gave_up_keeps_nobody_from_an_answer(gate: Gate) -> None:
    async def ask() -> None:
        first = queue.submit(image(0))
        await begun(gate)
        second, third = queue.submit(image(1)), queue.submit(image(2))
        second.cancel()
        gate.go_on.set()
        assert (await first).answer.error is None
        assert (await third).answer.error is None

    with PredictionQueue(gate, list[PredictedBatch]().append, threads=1) as queue:
        asyncio.run(ask())


@pytest.mark.parametrize("fails", [False, True])
def test_the_same_image_in_flight_is_computed_once_and_logged_for_each(gate: Gate, fails: bool) -> None:
    logged: list[PredictedBatch] = []

    async def ask() -> None:
        predictions = LivePredictions(queue, gate.attributes, logged.append, cache_size=0)
        content = picture()
        asked = [asyncio.create_task(predictions.answer(content, source)) for source in ("a", "b", "c")]
        await begun(gate)
        if fails:
            gate.error = FacemonError("the network gave nothing")
        gate.go_on.set()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert gate.calls == [1]
        if fails:
            assert answers == [gate.error] * 3
            gate.error = None
            assert (await predictions.answer(content, None)).error is None, "an error is not kept"
        else:
            sources = [batch.rows["source"][0].as_py() for batch in logged]
            assert sorted(sources) == ["a", "b", "c"]
            assert sum(len(batch.latencies) > 0 for batch in logged) == 1

    with PredictionQueue(gate, logged.append, threads=2) as queue:
        asyncio.run(ask())


def test_a_crowd_waits_for_its_last_ones_only_a_moment(gate: Gate) -> None:
    gate.go_on.set()

    async def ask() -> float:
        await asyncio.gather(*(queue.submit(image(number)) for number in range(16)))
        began = time.monotonic()
        await queue.submit(image(20))
        return time.monotonic() - began

    with PredictionQueue(gate, list[PredictedBatch]().append, threads=1) as queue:
        assert asyncio.run(ask()) < 1
