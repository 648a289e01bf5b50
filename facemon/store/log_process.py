"""A server's log in a process of its own: writing it here would delay answers to clients."""

import pickle
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import NamedTuple, Self

from facemon.domain.prediction import PredictedBatch
from facemon.errors import FacemonError
from facemon.forked_process import ForkedProcess, ProcessEnded
from facemon.store.live_writer import LOST_HINT, MOST_ROWS, LiveWriter
from facemon.store.totals import TotalKey

_HAND_OVER_SECONDS = 0.6
"""From one hand-over to the next one, so that a prediction is on the disk before it is a second old."""
_PATIENCE_SECONDS = 5.0
_KILLED = "the process that writes the log was killed"

Begin = Callable[[Callable[[str], None]], LiveWriter]
"""Begins a run for a writer, which tells of trouble by what it is given."""


class _Load(NamedTuple):
    """What is handed over at once."""

    batches: Sequence[bytes]
    """Pickled, each when it came: pickling all at once would delay the clients that wait then."""
    counts: Mapping[TotalKey, float]
    is_last: bool = False


class _News(NamedTuple):
    """How the writer is."""

    told: tuple[str, ...]
    trouble: str | None
    is_full: bool


class LogProcess:
    """Takes predictions from any thread, like a LiveWriter, and hands them to one that another process runs.

    Make it before this process has threads, and start it when all else is there. When this process is killed, what
    was handed over is still written.
    """

    def __init__(
        self,
        begin: Begin,
        tell: Callable[[str], None],
        *,
        take_counts: Callable[[], Mapping[TotalKey, float]],
        killed: Callable[[], None],
    ) -> None:
        """Begin the run; FacemonError when the store cannot be written. `tell` hears when it fails later on.

        `take_counts` gives what was counted since it was last called; `killed` is called when the other process is
        no more, from where on nothing can be logged.
        """
        self._tell, self._take_counts, self._killed = tell, take_counts, killed
        self._trouble: str | None = None
        self._writer_is_full = self._is_full = self._is_over = False
        self._asked_at: float | None = None
        self._arriving = threading.Lock()
        self._arrived: list[bytes] = []
        self._images = self._lost = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._hand_over_until_stopped, name="log", daemon=True)
        self._process = ForkedProcess(partial(_writing, begin))
        self._ask(_Load((), {}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def trouble(self) -> str | None:
        """Why predictions are not getting into the log at the moment; none when they are."""
        asked_at = self._asked_at
        if asked_at is not None and time.monotonic() - asked_at > _PATIENCE_SECONDS:
            return "the process that writes the log does not answer"
        return self._trouble

    @property
    def is_full(self) -> bool:
        """Whether predictions that come now are answered but lost, because no more can wait."""
        return self._is_over or self._is_full or self._writer_is_full

    def start(self) -> None:
        """Begin to hand over what comes."""
        self._thread.start()

    def add(self, batch: PredictedBatch) -> None:
        """Take a batch in; its run and ordinals are replaced by those of the log's run."""
        pickled = pickle.dumps(batch, pickle.HIGHEST_PROTOCOL)
        with self._arriving:
            if self._images + len(batch.ordinals) > MOST_ROWS:
                self._lost += len(batch.ordinals)
                self._is_full = True
                return
            self._arrived.append(pickled)
            self._images += len(batch.ordinals)
            self._is_full = self._is_full or self._images == MOST_ROWS

    def close(self) -> None:
        """Write what is left and finish the run; FacemonError when predictions are lost."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        try:
            self._hand_over(is_last=True)
        except ProcessEnded as error:
            raise FacemonError(f"what came last was answered but not logged: {_KILLED}") from error
        finally:
            self._process.end()
            self._process.join()
        if self._lost:
            raise FacemonError(f"{self._lost} predictions were answered but not logged: too many waited", LOST_HINT)

    def _hand_over_until_stopped(self) -> None:
        pause = _HAND_OVER_SECONDS
        while not self._stopping.wait(pause):
            began = time.monotonic()
            try:
                self._hand_over()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is not to be a silent end
                self._is_over = True
                self._trouble = _KILLED if isinstance(error, ProcessEnded) else f"the log failed: {error!r}"
                self._killed()
                return
            # What came while this was written has waited since then.
            pause = max(0.0, _HAND_OVER_SECONDS - (time.monotonic() - began))

    def _hand_over(self, *, is_last: bool = False) -> None:
        with self._arriving:
            arrived, self._arrived, self._images, self._is_full = self._arrived, [], 0, False
        self._ask(_Load(arrived, self._take_counts(), is_last))

    def _ask(self, load: _Load) -> None:
        self._asked_at = time.monotonic()
        news: _News = self._process.ask(load)
        self._asked_at, self._trouble, self._writer_is_full = None, news.trouble, news.is_full
        for text in news.told:
            self._tell(text)


@contextmanager
def _writing(begin: Begin) -> Iterator[Callable[[_Load], _News]]:
    """What the other process does with each load; in the end, however it comes, all is written."""
    told: list[str] = []
    writer = begin(told.append)
    is_open = True

    def take(load: _Load) -> _News:
        nonlocal is_open
        writer.write([pickle.loads(batch) for batch in load.batches], load.counts)  # noqa: S301 - by who forked this
        if load.is_last:
            is_open = False
            writer.close()
        news = tuple(told)
        told.clear()
        return _News(news, writer.trouble, writer.is_full)

    try:
        yield take
    finally:
        if is_open:
            # The server has ended and cannot be told; the log itself says how far it came.
            with suppress(FacemonError):
                writer.close()
