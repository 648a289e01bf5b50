"""Images that wait for the model: taken together, answered one by one, none forgotten; the same image computed once."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.domain.image_input import ImageInput
from facemon.domain.prediction import PredictedBatch
from facemon.domain.request_outcome import CacheResult
from facemon.errors import FacemonError
from facemon.server import live_predictions, prediction_queue
from facemon.server.image_answers import AnsweredBatch
from facemon.server.lanes import Lanes
from facemon.server.live_predictions import LivePredictions
from facemon.server.prediction_queue import PredictionQueue
from facemon.server.refusal import Refused
from facemon.server.waiting_images import MOST_AT_ONCE, Predicted, is_heavy
from tests.patience import HANG_S
from tests.server.gated_model import Gate, begun, image, threads, until
from tests.server.served_api import picture


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


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


@pytest.mark.parametrize(("workers", "lanes", "together"), [(2, 2, 2), (2, 1, 2), (3, 2, 3)])
def test_heavy_images_leave_all_other_lanes_to_light_ones(gate: Gate, workers: int, lanes: int, together: int) -> None:
    """All come at once; while the first heavy one waits for the gate, each worker that is left has light ones."""
    heavy = picture((1, 2, 3), (4000, 4000))
    assert is_heavy(heavy)
    assert not is_heavy(picture())

    async def ask() -> None:
        waiting = [queue.submit(image(number), is_heavy=True) for number in range(3)]
        waiting += [queue.submit(image(3 + number)) for number in range(2 * MOST_AT_ONCE)]
        await until(lambda: len(gate.calls) == together)
        await asyncio.sleep(0.05)
        assert queue.heavy == 3
        assert min(gate.calls) == 1
        assert len(gate.calls) == together
        gate.go_on.set()
        await asyncio.gather(*waiting)

    with threads(gate, workers) as free:
        queue = PredictionQueue(free, list[PredictedBatch]().append, lanes=lanes)
        asyncio.run(ask())
    assert queue.heavy == 0


def test_light_images_take_no_more_than_their_lanes(gate: Gate) -> None:
    async def ask() -> None:
        waiting = [queue.submit(image(number)) for number in range(2 * MOST_AT_ONCE)]
        await begun(gate)
        await asyncio.sleep(0.05)
        assert len(gate.calls) == 1
        waiting.append(queue.submit(image(99), is_heavy=True))
        await until(lambda: len(gate.calls) == 2)
        gate.go_on.set()
        await asyncio.gather(*waiting)

    with threads(gate, 3) as workers:
        queue = PredictionQueue(workers, list[PredictedBatch]().append, lanes=1)
        asyncio.run(ask())


@given(st.integers(1, 32), st.integers(1, 33))
def test_light_lanes_are_kept_where_light_images_come(count: int, available: int) -> None:
    lanes = Lanes(count)

    def most_heavy() -> int:
        begun = 0
        while lanes.may_be_heavy(available):
            lanes.begin(is_heavy=True)
            begun += 1
        for _ in range(begun):
            lanes.end(is_heavy=True)
        return begun

    assert most_heavy() == max(1, min(count, available) - 1)
    lanes.begin(is_heavy=False)
    assert most_heavy() == max(1, min(count // 2, min(count, available) - 1))


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


def test_a_form_of_many_heavy_images_is_answered_whole_or_refused_whole(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_predictions, "MOST_HEAVY", 2)
    heavy = [picture((number, 0, 0), (4000, 4000)) for number in range(4)]
    light, logged = [picture((0, number, 0)) for number in range(2)], list[PredictedBatch]()

    async def ask() -> None:
        predictions = LivePredictions(
            queue, gate.attributes, logged.append, partial(datetime.now, UTC),
            cache_size=0, looked_up=list[CacheResult]().append,
        )  # fmt: skip
        alone = [asyncio.create_task(predictions.answer(content, None)) for content in heavy[:2]]
        await until(lambda: queue.heavy == 2)
        with pytest.raises(Refused) as refused:
            await predictions.answers([*light, heavy[2]], None)
        assert (refused.value.code, logged) == (503, [])
        assert queue.heavy == 2
        gate.go_on.set()
        await asyncio.gather(*alone)
        answers = await predictions.answers([*light, *heavy], None)
        assert [answer.error for answer in answers] == [None] * 6
        names = [name for batch in logged for name in batch.rows["image"].to_pylist()]
        assert len(names) == 2 + 6

    with threads(gate, 2) as workers:
        queue = PredictionQueue(workers, logged.append)
        asyncio.run(ask())


def test_an_error_of_a_form_is_raised_once_all_its_images_are_done(gate: Gate) -> None:
    async def ask() -> None:
        predictions = LivePredictions(
            queue, gate.attributes, list[PredictedBatch]().append, partial(datetime.now, UTC),
            cache_size=0, looked_up=list[CacheResult]().append,
        )  # fmt: skip
        gate.error = FacemonError("the network gave nothing")
        form = asyncio.create_task(predictions.answers([picture((n, 0, 0)) for n in range(12)], None))
        await begun(gate)
        gate.go_on.set()
        with pytest.raises(FacemonError):
            await form
        assert sum(gate.calls) == 12

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


@pytest.mark.parametrize("waiting", [3, 5, 7])
def test_a_worker_waits_for_the_senders_that_it_has_just_answered(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, waiting: int
) -> None:
    monkeypatch.setattr(prediction_queue, "_GATHER_SECONDS", HANG_S)

    async def ask() -> None:
        async def send_twice() -> None:
            await queue.submit(image(0))
            await queue.submit(image(1))

        sender = asyncio.create_task(send_twice())
        await begun(gate)
        others = [queue.submit(image(2 + number)) for number in range(waiting)]
        gate.go_on.set()
        await asyncio.gather(sender, *others)

    with threads(gate, 1) as workers:
        queue = PredictionQueue(workers, list[PredictedBatch]().append)
        asyncio.run(ask())
    assert gate.calls == [1, waiting + 1]


def test_a_crowd_waits_for_its_last_ones_only_a_moment(gate: Gate) -> None:
    gate.go_on.set()

    async def ask() -> None:
        await asyncio.gather(*(queue.submit(image(number)) for number in range(16)))
        # No other request comes: were it to wait for a crowd as large as the last one, it would wait for ever.
        await asyncio.wait_for(queue.submit(image(20)), HANG_S)

    with threads(gate, 1) as workers:
        queue = PredictionQueue(workers, list[PredictedBatch]().append)
        asyncio.run(ask())
