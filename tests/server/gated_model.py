"""A real model behind a gate, and images for it."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from facemon.domain.image_input import ImageInput
from facemon.server.image_answers import AnsweredBatch, AnsweringPredictor
from facemon.server.model_workers import InThread
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


@contextmanager
def threads(gate: Gate, count: int) -> Iterator[list[InThread]]:
    with ExitStack() as stack:
        yield [stack.enter_context(InThread(gate)) for _ in range(count)]


def image(number: int) -> ImageInput:
    return ImageInput(0, f"n{number}", content=picture((number, 0, 0)), sha256=f"{number:064x}")


async def begun(gate: Gate) -> None:
    while not gate.calls:
        await asyncio.sleep(0.005)


async def until(happens: Callable[[], bool]) -> None:
    async with asyncio.timeout(HANG_S):
        while not happens():
            await asyncio.sleep(0.01)
