"""Images that wait for the model: a free worker takes several at once, so that many cost less an image.

A worker that ends is replaced, and the images that it had are tried again, each alone, until one is to blame.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import NamedTuple

from facemon.domain.image_input import ImageInput
from facemon.domain.prediction import PredictedBatch
from facemon.domain.worker_deaths import MOST_DEATHS, blamed, is_to_blame
from facemon.errors import FacemonError
from facemon.fork_server import Ending
from facemon.server.lanes import Lanes
from facemon.server.model_workers import ModelWorker, WorkerDied
from facemon.server.waiting_images import MOST_AT_ONCE, Predicted, Waiting, WaitingImages

_MANY, _GATHER_SECONDS = 4, 0.004
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 10.0
"""Before a worker begins again that predicted nothing since it ended the last time; doubled each time."""
_IDLE_END = "an idle worker process has ended"


class PoolStrength(NamedTuple):
    """How many batches can be predicted at once, and how many it should be."""

    available: int
    configured: int


class PredictionQueue:
    """Lets workers predict what is submitted, all within one event loop; `log` hears of each batch."""

    def __init__(
        self,
        workers: Sequence[ModelWorker],
        log: Callable[[PredictedBatch], None],
        *,
        lanes: int | None = None,
        tell: Callable[[str], None] = lambda _: None,
        exhausted: Callable[[FacemonError], None] = lambda _: None,
    ) -> None:
        """`tell` hears of workers that end; `exhausted` is called when the last one cannot be replaced.

        `lanes` is how many batches are predicted at once, heavy images left out: as many as there are workers unless
        given. A worker more than that, the first one, takes heavy images, or the place of one that ended.
        """
        self._log, self._tell, self._exhausted = log, tell, exhausted
        # The one that was busy last goes first: its processor still has the weights at hand.
        self._free = list(workers)
        self._for_heavy = workers[0]
        self._workers = len(workers)
        self._lanes = Lanes(lanes or len(workers))
        self._renewing: set[ModelWorker] = set()
        """Workers that ended, and cannot be asked."""
        self._deaths: dict[ModelWorker, int] = {}
        """Of workers that predicted nothing since they last ended: how often they did in a row."""
        self._lost: FacemonError | None = None
        """Why workers that ended are not replaced any more."""
        self._waiting = WaitingImages()
        self._expected = 0
        """Images that soon wait together: those that waited when a worker was done last, and as many as it answered,
        whose senders are about to send again."""
        self._gathering: asyncio.TimerHandle | None = None
        """While few wait, and more are expected to come."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed_at: float | None = None
        """When the model failed last, if it has not predicted since."""

    @property
    def strength(self) -> PoolStrength:
        """How many workers can be asked, of how many; any thread may ask."""
        dead = sum(not worker.is_alive for worker in tuple(self._free))
        lanes = self._lanes.count
        return PoolStrength(min(lanes, self._workers - len(self._renewing) - dead), lanes)

    @property
    def model_answers(self) -> bool:
        """Whether the model's last prediction came without trouble."""
        return self._failed_at is None

    @property
    def heavy(self) -> int:
        """How many images that may take long to decode are waiting or being predicted."""
        return self._lanes.heavy + self._waiting.heavy

    def failed_within(self, seconds: float) -> bool:
        """Whether the model failed so short a time ago, and has not predicted since."""
        return self._failed_at is not None and time.monotonic() - self._failed_at < seconds

    def submit(self, image: ImageInput, *, is_heavy: bool = False) -> "asyncio.Future[Predicted]":
        """Let an image, of ordinal 0, wait for its prediction; the future raises FacemonError for a model's trouble.

        One that is heavy, because decoding it may take long, is predicted alone, and never by the last free worker.
        """
        future: asyncio.Future[Predicted] = asyncio.get_running_loop().create_future()
        if self._lost is not None and not self.strength.available:
            future.set_exception(self._lost)
        else:
            self._waiting.add(image, future, is_heavy=is_heavy)
            self._hand_out()
        return future

    async def replace_dead(self) -> None:
        """Replace free workers that have ended; to be called from time to time."""
        for worker in [each for each in self._free if not each.is_alive]:
            self._free.remove(worker)
            self._begin_renewal(worker, _IDLE_END)

    def _hand_out(self) -> None:
        """Let free workers take what waits.

        Where many images are expected, they are waited for a moment. A few senders never wait for each other.
        """
        is_for_light = self._free and self._lanes.may_be_light and self._waiting.is_only_light
        if is_for_light and 0 < self._waiting.light < min(self._expected, MOST_AT_ONCE) >= _MANY:
            if self._gathering is None:
                loop = asyncio.get_running_loop()
                self._gathering = loop.call_later(_GATHER_SECONDS, self._hand_out_all)
        else:
            self._hand_out_all()

    def _hand_out_all(self) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        while self._free and (self._lanes.may_be_light or not self._waiting.is_only_light):
            if ended := [worker for worker in (self._free[0], self._free[-1]) if not worker.is_alive]:
                self._free.remove(ended[0])
                self._begin_renewal(ended[0], _IDLE_END)
                continue
            # To count the workers that can be asked, each is looked at.
            may_be_heavy = not self._waiting.is_only_light and self._lanes.may_be_heavy(self.strength.available)
            taken = self._waiting.take(may_be_heavy=may_be_heavy, may_be_light=self._lanes.may_be_light)
            if not taken:
                return
            # Here, since the task begins later, and its image may be light afterwards: one that is given up is.
            is_heavy = taken[0].is_heavy
            self._lanes.begin(is_heavy=is_heavy)
            worker = self._free.pop(0 if is_heavy else -1)
            self._run(self._predict(worker, taken, partial(self._lanes.end, is_heavy=is_heavy)))

    def _release(self, worker: ModelWorker) -> None:
        self._free.insert(0 if worker is self._for_heavy else len(self._free), worker)

    def _run(self, coroutine: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _predict(self, worker: ModelWorker, taken: Sequence[Waiting], done: Callable[[], None]) -> None:
        try:
            # Ordinals of this batch alone; the log gives its own.
            images = [each.image._replace(ordinal=place) for place, each in enumerate(taken)]
            batch = await worker.predict(images)
            self._log(batch.batch)
        except WorkerDied as death:
            self._try_again(taken, death.ending)
            self._begin_renewal(worker, f"a worker process was {death.ending}")
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is waited for
            if isinstance(error, FacemonError):
                self._failed_at = time.monotonic()
            self._release(worker)
            _fail(taken, error)
        else:
            self._failed_at = None
            self._deaths.pop(worker, None)
            self._release(worker)
            self._expected = len(taken) + self._waiting.light
            for place, (each, answer) in enumerate(zip(taken, batch.answers, strict=True)):
                if not each.future.cancelled():
                    each.future.set_result(Predicted(answer, batch, place))
        finally:
            done()
        self._hand_out()

    def _try_again(self, taken: Sequence[Waiting], ending: Ending) -> None:
        """Let the images of a worker that died wait once more, one that is to blame for its error alone."""
        if len(taken) == 1:
            (alone,) = taken
            alone.deaths += 1
            if alone.deaths > 2 * MOST_DEATHS:
                # What has its error, and is not looked at any more, ends no worker: something else does.
                text = "worker processes are killed again and again, perhaps because memory ran out"
                _fail(taken, FacemonError(text))
                return
            if alone.image.problem is None and is_to_blame(alone.deaths, ending):
                alone.image, alone.is_heavy = blamed(alone.image, ending), False
        self._waiting.add_again(taken)

    def _begin_renewal(self, worker: ModelWorker, news: str) -> None:
        self._deaths[worker] = self._deaths.get(worker, 0) + 1
        self._renewing.add(worker)
        self._tell(f"{news}; a new one is started")
        self._run(self._renew(worker))

    async def _renew(self, worker: ModelWorker) -> None:
        while True:
            if (again := self._deaths[worker] - 2) >= 0:
                await asyncio.sleep(min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** min(again, 10)))
            try:
                await worker.renew()
            except OSError as error:
                self._deaths[worker] += 1
                self._tell(f"a worker process could not be started: {error.strerror}; facemon tries again")
            except FacemonError as error:
                self._lost = error
                if not self.strength.available:
                    _fail(self._waiting.take_all(), error)
                    self._exhausted(error)
                return
            else:
                break
        self._renewing.discard(worker)
        self._release(worker)
        self._hand_out()


def _fail(waiting: Sequence[Waiting], error: Exception) -> None:
    for each in waiting:
        if not each.future.cancelled():
            each.future.set_exception(error)
