"""The engine `processes`: copies of this process, forked once the model is open, so that they share its memory.

Threads of one process wait for each other's Python between two images.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from queue import LifoQueue

from facemon.domain.image_input import ImageInput
from facemon.domain.predicting import OpensModel, Predicts
from facemon.domain.prediction import PredictedBatch, joined
from facemon.domain.worker_deaths import blamed, is_to_blame
from facemon.engines.engine import RunModel, Work
from facemon.engines.inline import ModelHere
from facemon.errors import FacemonError, UsageError
from facemon.fork_server import Ending, ForkServer, ServedProcess
from facemon.forked_process import ProcessEnded
from facemon.interruption import Uninterrupted

MOST_CRASHES = 8
"""When so many images in a row end their workers, the cause is not the images."""
_FEW_IMAGES = 16
"""For so few images, starting processes takes longer than predicting."""


def can_fork(providers: Sequence[str]) -> bool:
    """Whether a model on these execution providers can be forked: devices do not outlive it."""
    return tuple(providers) == ("cpu",)


class Processes:
    """Processes of this machine, which do not share a lock of Python's."""

    name = "processes"

    def refuse(self, providers: Sequence[str]) -> None:
        """Refuse devices, whose memory a forked process cannot use."""
        if not can_fork(providers):
            raise UsageError(
                f"the engine {self.name} forks the model, and predict.providers has {', '.join(providers)}",
                "use the engine inline, or providers: [cpu]",
            )

    @contextmanager
    def opened(self, open_model: OpensModel) -> Iterator[RunModel]:
        """Open the model here, once: what is forked afterwards has it in memory."""
        yield _ForkedModel(open_model())


class _ForkedModel(ModelHere):
    """A model in this process, which copies of the process share."""

    @contextmanager
    def spread(self, work: Work) -> Iterator[Predicts[PredictedBatch]]:
        """Predict in a process for each worker; in this one where there is one worker or a handful of images."""
        count = work.workers if work.has_more_than(_FEW_IMAGES) else 1
        with super().spread(work) as model, worker_processes(model, count) as workers:
            yield workers


class _WorkerDied(Exception):
    """A worker ended instead of answering; another one has its place."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending)
        self.ending = ending


class _WorkerProcesses:
    """Hands each chunk to a process that is free; as many threads as there are processes may call it at once.

    A process that ends is replaced. The images that it had are predicted one by one, and one that ends its process
    again gets a row with an error.
    """

    def __init__(self, server: ForkServer) -> None:
        self._server = server
        # The one that was busy last goes first: its processor still has the weights at hand.
        self._free: LifoQueue[ServedProcess | None] = LifoQueue()
        for process in server.first:
            self._free.put(process)
        self._lock = threading.Lock()
        self._crashes = 0
        """Images since one was last predicted that ended their workers."""

    def predict(self, images: Sequence[ImageInput], run: str) -> PredictedBatch:
        """Predict a chunk; raises what the model raised, and FacemonError when processes cannot be replaced."""
        try:
            return self._ask(images, run)
        except _WorkerDied as death:
            if len(images) == 1:
                return self._alone(images[0], run, death.ending)
            return joined([self._alone(image, run) for image in images])

    def _alone(self, image: ImageInput, run: str, ending: Ending | None = None) -> PredictedBatch:
        """Predict one image; `ending` says how the worker died that had it alone already."""
        deaths = 0 if ending is None else 1
        while ending is None or not is_to_blame(deaths, ending):
            try:
                batch = self._ask((image,), run)
            except _WorkerDied as death:
                ending, deaths = death.ending, deaths + 1
            else:
                self._note(0)
                return batch
        self._note(self._crashes + 1)
        return self._ask((blamed(image, ending),), run)

    def _note(self, crashes: int) -> None:
        with self._lock:
            self._crashes = crashes
        if crashes >= MOST_CRASHES:
            raise FacemonError(
                f"the worker processes of {crashes} images in a row were killed, perhaps because memory ran out",
                "use fewer workers (--threads), or lower predict.max_pixels and predict.max_decode_memory",
            )

    def _ask(self, images: Sequence[ImageInput], run: str) -> PredictedBatch:
        process = self._free.get()
        if process is None:
            self._free.put(None)
            raise _unreplaceable()
        try:
            answer: PredictedBatch = process.ask((images, run))
        except ProcessEnded:
            ending = self._replace(process)
            raise _WorkerDied(ending) from None
        except BaseException:
            self._free.put(process)
            raise
        self._free.put(process)
        return answer

    def _replace(self, process: ServedProcess) -> Ending:
        try:
            ending = process.finish()
            self._free.put(self._server.start())
        except ProcessEnded as error:
            self._free.put(None)  # for all who wait for a free one
            raise _unreplaceable() from error
        except OSError as error:
            self._free.put(None)
            raise _no_room(error) from error
        return ending


def _no_room(error: OSError) -> FacemonError:
    # The error that it is raised from has the hint.
    return FacemonError(f"a worker process could not be started: {error.strerror}")


def _unreplaceable() -> FacemonError:
    return FacemonError(
        "a worker process was killed, and so was the process that starts workers, perhaps because memory ran out",
        "use fewer workers, or a lower limit of pixels; facemon predict --resume goes on",
    )


@contextmanager
def forking_server(predictor: Predicts[object], count: int) -> Iterator[ForkServer]:
    """Begin copies of this process that answer `(images, run)` with a prediction, and more while the block runs.

    They share the loaded model's memory. Call it before the process has threads of its own. They end with the block,
    and with this process, however it ends.
    """
    server: ForkServer | None = None
    try:
        try:
            with Uninterrupted():
                server = ForkServer(lambda: nullcontext(lambda message: predictor.predict(*message)), count)
        except OSError as error:
            raise _no_room(error) from error
        yield server
    finally:
        if server is not None:
            server.close()


@contextmanager
def worker_processes(predictor: Predicts[PredictedBatch], count: int) -> Iterator[Predicts[PredictedBatch]]:
    """The predictor in `count` processes while the block runs; for one, the predictor as it is."""
    if count == 1:
        yield predictor
        return
    with forking_server(predictor, count) as server:
        yield _WorkerProcesses(server)
