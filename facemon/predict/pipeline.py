"""Workers that predict chunks of images side by side, with results in the order of the inputs."""

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from time import perf_counter

from facemon.available_cores import available_cores
from facemon.domain.image_input import ImageInput
from facemon.domain.predicting import Predicts
from facemon.domain.prediction import PredictedBatch
from facemon.errors import FacemonError

LARGEST_CHUNK = 64
_FIRST_CHUNK = 2
_CHUNK_SECONDS = 0.2
"""What a chunk should take: less wastes time on handing over, more makes stopping slow and the run's end ragged."""
_CHUNK_BYTES = 16 << 20
"""Content of images from which on a chunk ends: those of a compressed archive are in memory before they are read."""
_CHUNKS_AHEAD = 2
"""Chunks a worker may be ahead of the consumer, the one it works on included."""
_LOOK_AROUND_S = 0.1


def default_threads() -> int:
    """One worker for each core that this process may use, by its affinity and its cgroups' quota."""
    return available_cores()


def run_pipeline(
    inputs: Iterable[ImageInput],
    predictor: Predicts[PredictedBatch],
    *,
    run: str,
    threads: int,
    stop: threading.Event,
) -> Iterator[PredictedBatch]:
    """Yield a batch for every chunk of inputs, in their order; small files make larger chunks than large ones.

    Inputs are drawn in the consumer's thread, and only a few chunks before it wants them. Once `stop` is set no
    new chunk begins; those that have begun are finished and yielded, so that what was yielded is always a
    beginning of the inputs. What a worker raises is raised here; a FacemonError of the inputs, such as a damaged
    archive, once all inputs before it are yielded.
    """
    drawn, size = _Drawn(inputs), ChunkSize()
    waiting: deque[Future[PredictedBatch]] = deque()

    def predict(chunk: Sequence[ImageInput]) -> PredictedBatch:
        begin = perf_counter()
        batch = predictor.predict(chunk, run)
        size.learn(len(chunk), perf_counter() - begin)
        return batch

    with ThreadPoolExecutor(threads, "predict") as pool:
        try:
            while True:
                while len(waiting) < threads * _CHUNKS_AHEAD and not stop.is_set():
                    chunk = drawn.chunk(size.images)
                    if not chunk:
                        break
                    waiting.append(pool.submit(predict, chunk))
                if not waiting:
                    if drawn.fault is not None:
                        raise drawn.fault
                    return
                _await(waiting, stop)
                if waiting:
                    yield waiting.popleft().result()
        finally:
            _drop_unbegun(waiting)


class _Drawn:
    """Inputs in chunks, up to the first that cannot be had."""

    def __init__(self, inputs: Iterable[ImageInput]) -> None:
        self._stream = iter(inputs)
        self.fault: FacemonError | None = None

    def chunk(self, images: int) -> tuple[ImageInput, ...]:
        """Return the next inputs, at most so many; none at the end and after a fault."""
        chunk: list[ImageInput] = []
        held = 0
        try:
            for image in islice(self._stream, images if self.fault is None else 0):
                chunk.append(image)
                held += len(image.content or b"")
                if held >= _CHUNK_BYTES:
                    break
        except FacemonError as error:
            self.fault = error
        return tuple(chunk)


class ChunkSize:
    """How many images a worker takes at once, learnt from how long the last ones took."""

    def __init__(self) -> None:
        self.images = _FIRST_CHUNK

    def learn(self, images: int, seconds: float) -> None:
        """Take in what a chunk took; the size at most doubles, for the first images may be unlike the rest."""
        fitting = int(_CHUNK_SECONDS * images / max(seconds, 1e-9))
        self.images = max(1, min(fitting, 2 * images, LARGEST_CHUNK))


def _await(waiting: deque[Future[PredictedBatch]], stop: threading.Event) -> None:
    """Wait for the first chunk; drop the chunks that have not begun as soon as the run is to stop."""
    while waiting and not waiting[0].done():
        with suppress(TimeoutError, CancelledError):
            waiting[0].exception(_LOOK_AROUND_S)
        if stop.is_set():
            _drop_unbegun(waiting)


def _drop_unbegun(waiting: deque[Future[PredictedBatch]]) -> None:
    # Chunks begin in order, so from the end backwards: a chunk that has begun has all before it begun too.
    while waiting and waiting[-1].cancel():
        waiting.pop()
