import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from facemon.domain.image_input import ImageInput
from facemon.domain.prediction import PredictedBatch
from facemon.errors import FacemonError
from facemon.predict.pipeline import LARGEST_CHUNK, ChunkSize, run_pipeline
from tests.model.onnx_files import flat_image
from tests.patience import HANG_S
from tests.predict.predicted import small_predictor

FIRST = 2
"""Images in the first chunks, while nothing is known of them."""


class Sleeper:
    """A predictor of our own that takes the time a test wants; the pipeline asks for nothing else."""

    def __init__(self, seconds: float = 0.0, *, slow_first: float = 0.0, fails_at: int | None = None) -> None:
        self.begun: list[int] = []
        self.finished: list[int] = []
        self._seconds = seconds
        self._slow_first = slow_first
        self._fails_at = fails_at
        self._lock = threading.Lock()

    def predict(self, images: Sequence[ImageInput], run: str) -> PredictedBatch:
        first = images[0].ordinal
        with self._lock:
            self.begun.append(first)
        time.sleep(self._slow_first if first == 0 else self._seconds)
        if self._fails_at is not None and first == self._fails_at:
            raise FacemonError("the model broke")
        with self._lock:
            self.finished.append(first)
        rows = pa.record_batch({"run": [run] * len(images)})
        return PredictedBatch(rows, tuple(image.ordinal for image in images), ())


class Meeting(Sleeper):
    """A predictor whose first calls end only once so many are under way at once."""

    def __init__(self, together: int) -> None:
        super().__init__()
        self._count = 0
        self._together = together
        self._all_are_in = threading.Event()

    def predict(self, images: Sequence[ImageInput], run: str) -> PredictedBatch:
        with self._lock:
            self._count += 1
            if self._count == self._together:
                self._all_are_in.set()
        assert self._all_are_in.wait(HANG_S)
        return super().predict(images, run)


def inputs(count: int, drawn: list[int] | None = None) -> Iterator[ImageInput]:
    for ordinal in range(count):
        if drawn is not None:
            drawn.append(ordinal)
        yield ImageInput(ordinal, str(ordinal))


def ordinals(batches: Iterator[PredictedBatch]) -> list[int]:
    return [ordinal for batch in batches for ordinal in batch.ordinals]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("count", [0, 1, FIRST, FIRST + 1, 100])
def test_all_inputs_in_order(threads: int, count: int) -> None:
    sleeper = Sleeper(0.001, slow_first=0.02)
    batches = run_pipeline(inputs(count), sleeper, run="r", threads=threads, stop=threading.Event())
    assert ordinals(batches) == list(range(count))


def test_a_real_model_from_several_threads(tmp_path: Path) -> None:
    predictor = small_predictor(tmp_path)
    paths = [flat_image(tmp_path / f"{index}.png", (index * 5, 0, 255 - index * 5)) for index in range(50)]
    images = [ImageInput(index, path.name, path) for index, path in enumerate(paths)]
    batches = list(run_pipeline(images, predictor, run="r", threads=4, stop=threading.Event()))
    together = pa.Table.from_batches([batch.rows for batch in batches])
    assert together.column("ordinal").to_pylist() == list(range(50))
    alone = pa.Table.from_batches([predictor.predict(images, "r").rows])
    assert together.drop_columns(["run"]).combine_chunks().equals(alone.drop_columns(["run"]).combine_chunks())


def test_only_a_few_chunks_are_drawn_ahead() -> None:
    drawn: list[int] = []
    batches = run_pipeline(inputs(10_000, drawn), Sleeper(), run="r", threads=2, stop=threading.Event())
    for _ in range(5):
        next(batches)
        time.sleep(0.01)
    assert len(drawn) <= (5 + 4) * LARGEST_CHUNK
    batches.close()  # type: ignore[attr-defined]


def test_workers_work_side_by_side() -> None:
    meeting = Meeting(4)
    assert len(ordinals(run_pipeline(inputs(16), meeting, run="r", threads=4, stop=threading.Event()))) == 16


def test_stop_finishes_what_has_begun_and_yields_it() -> None:
    stop = threading.Event()
    sleeper = Sleeper(0.15, slow_first=0.15)
    batches = run_pipeline(inputs(10_000), sleeper, run="r", threads=2, stop=stop)
    seen = list(next(batches).ordinals)
    stop.set()
    seen += ordinals(batches)
    assert seen == list(range(len(seen)))
    assert sorted(sleeper.finished) == sorted(sleeper.begun)
    assert len(seen) < 50


def test_stop_is_noticed_while_the_first_chunk_runs() -> None:
    stop = threading.Event()
    sleeper = Sleeper(0.0, slow_first=0.5)
    threading.Timer(0.1, stop.set).start()
    assert ordinals(run_pipeline(inputs(10_000), sleeper, run="r", threads=1, stop=stop)) == list(range(FIRST))


def test_closing_waits_for_the_workers_and_begins_nothing() -> None:
    sleeper = Sleeper(0.3, slow_first=0.05)
    batches = run_pipeline(inputs(10_000), sleeper, run="r", threads=2, stop=threading.Event())
    next(batches)
    time.sleep(0.05)
    batches.close()  # type: ignore[attr-defined]
    # The second and third chunk were being worked on; the fourth was only drawn.
    assert sorted(sleeper.finished) == sorted(sleeper.begun) == [0, FIRST, 2 * FIRST]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("predict")]


def test_what_a_worker_raises_is_raised_after_all_that_came_before() -> None:
    sleeper = Sleeper(0.2, slow_first=0.2, fails_at=3 * FIRST)
    batches = run_pipeline(inputs(10_000), sleeper, run="r", threads=2, stop=threading.Event())
    seen = [ordinal for _ in range(3) for ordinal in next(batches).ordinals]
    assert seen == list(range(3 * FIRST))
    with pytest.raises(FacemonError, match="the model broke"):
        next(batches)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("predict")]


@pytest.mark.parametrize("count", [0, 1, FIRST, 3 * FIRST + 1, 500])
def test_what_the_inputs_raise_is_raised_after_all_that_came_before(count: int) -> None:
    def broken() -> Iterator[ImageInput]:
        yield from inputs(count)
        raise FacemonError("the list broke")

    seen: list[PredictedBatch] = []
    with pytest.raises(FacemonError, match="the list broke"):
        seen.extend(run_pipeline(broken(), Sleeper(), run="r", threads=2, stop=threading.Event()))
    assert ordinals(iter(seen)) == list(range(count))


def test_images_that_are_in_memory_are_drawn_by_their_bytes() -> None:
    drawn = 0

    def large() -> Iterator[ImageInput]:
        nonlocal drawn
        content = bytes(9 << 20)
        for ordinal in range(1000):
            drawn += 1
            yield ImageInput(ordinal, str(ordinal), content=content)

    batches = run_pipeline(large(), Sleeper(), run="r", threads=2, stop=threading.Event())
    for _ in range(20):
        before = len(next(batches).ordinals)
        assert before == 2  # of 9 MiB each: 16 MiB end a chunk
    assert drawn <= 2 * (20 + 4)
    batches.close()  # type: ignore[attr-defined]


def test_quick_images_make_larger_chunks_and_slow_ones_smaller() -> None:
    size = ChunkSize()
    grown = []
    for _ in range(8):
        size.learn(size.images, 0.001 * size.images)
        grown.append(size.images)
    assert grown == [4, 8, 16, 32, 64, 64, 64, 64]
    size.learn(64, 64 * 0.02)
    assert size.images == 10
    size.learn(10, 10 * 3.0)
    assert size.images == 1
