"""Workers that predict chunks of images side by side, with results in the order of the inputs."""

import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Protocol

from facemon.values.image_input import ImageInput
from facemon.values.prediction import PredictedBatch

CHUNK = 8
"""Images a worker takes at once: fewer waste the networks' batch, more make the last worker's tail long."""
_CHUNKS_AHEAD = 2
"""Chunks a worker may be ahead of the consumer, the one it works on included."""
_LOOK_AROUND_S = 0.1


class PredictsImages(Protocol):
    """What the pipeline needs of a model; several threads call it at once."""

    def predict(self, images: Sequence[ImageInput], run: str) -> PredictedBatch:
        """Predict a chunk of images."""


def default_threads() -> int:
    """One worker for each core that this process may use."""
    return len(os.sched_getaffinity(0))


def run_pipeline(
    inputs: Iterable[ImageInput], predictor: PredictsImages, *, run: str, threads: int, stop: threading.Event
) -> Iterator[PredictedBatch]:
    """Yield a batch for every eight inputs, in their order.

    Inputs are drawn in the consumer's thread, and only a few chunks before it wants them. Once `stop` is set no
    new chunk begins; those that have begun are finished and yielded, so that what was yielded is always a
    beginning of the inputs. What a worker raises is raised here.
    """
    chunks = _chunks(inputs)
    waiting: deque[Future[PredictedBatch]] = deque()
    with ThreadPoolExecutor(threads, "predict") as pool:
        try:
            while True:
                while len(waiting) < threads * _CHUNKS_AHEAD and not stop.is_set() and (chunk := next(chunks, None)):
                    waiting.append(pool.submit(predictor.predict, chunk, run))
                if not waiting:
                    return
                _await(waiting, stop)
                if waiting:
                    yield waiting.popleft().result()
        finally:
            _drop_unbegun(waiting)


def _chunks(inputs: Iterable[ImageInput]) -> Iterator[tuple[ImageInput, ...]]:
    stream = iter(inputs)
    while chunk := tuple(islice(stream, CHUNK)):
        yield chunk


def _await(waiting: deque[Future[PredictedBatch]], stop: threading.Event) -> None:
    """Wait for the first chunk; drop the chunks that have not begun as soon as the run is to stop."""
    while waiting and not waiting[0].done():
        wait((waiting[0],), _LOOK_AROUND_S)
        if stop.is_set():
            _drop_unbegun(waiting)


def _drop_unbegun(waiting: deque[Future[PredictedBatch]]) -> None:
    # Chunks begin in order, so from the end backwards: a chunk that has begun has all before it begun too.
    while waiting and waiting[-1].cancel():
        waiting.pop()
