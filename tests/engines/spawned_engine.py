"""An engine that facemon does not have, as a contributor would add it: a fresh interpreter in another folder.

It shares nothing with this process but what is sent to it: the pickled factory, the clock, and the images.
"""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from facemon import message_socket
from facemon.domain.image_input import ImageInput
from facemon.domain.predicting import OpensModel, Predicts
from facemon.domain.prediction import PredictedBatch
from facemon.engines.engine import RunModel, Work
from facemon.forked_process import AnsweringProcess, answer_messages

ROOT = Path(__file__).parents[2]


class Spawned:
    """One fresh interpreter for a run."""

    name = "spawned"

    def __init__(self, folder: Path) -> None:
        """The interpreter works in `folder`."""
        self._folder = folder

    def refuse(self, providers: Sequence[str]) -> None:
        """Refuse none."""

    @contextmanager
    def opened(self, open_model: OpensModel) -> Iterator[RunModel]:
        """Open the model in the interpreter, which ends with the block."""
        ours, theirs = socket.socketpair()
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.engines.spawned_engine", str(theirs.fileno())],
            cwd=self._folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        try:
            message_socket.send(ours, open_model)
            yield _ModelElsewhere(AnsweringProcess(ours))
        finally:
            ours.close()
            process.wait()


class _ModelElsewhere:
    def __init__(self, process: AnsweringProcess) -> None:
        self._process = process
        self._one_at_a_time = threading.Lock()
        self.id, self.fingerprint, self.notes = process.ask("known")

    @contextmanager
    def spread(self, work: Work) -> Iterator[Predicts[PredictedBatch]]:
        self._process.ask(work.clock)
        yield self

    def predict(self, images: Sequence[ImageInput], run: str) -> PredictedBatch:
        absolute = [each if each.path is None else each._replace(path=each.path.absolute()) for each in images]
        with self._one_at_a_time:
            batch: PredictedBatch = self._process.ask((absolute, run))
        return batch


@contextmanager
def _answering(open_model: OpensModel) -> Iterator[Callable[[Any], object]]:
    model = open_model()

    def answer(message: Any) -> object:
        match message:
            case "known":
                return model.id, model.fingerprint, model.notes
            case (images, run):
                return model.predict(images, run)
            case clock if clock is not None:
                model.go_by(clock)
        return None

    yield answer


if __name__ == "__main__":
    connection = socket.socket(fileno=int(sys.argv[1]))
    factory = message_socket.receive(connection)
    answer_messages(lambda: _answering(factory), connection)
