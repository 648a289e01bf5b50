"""Decides how many images are fetched at once, ahead of prediction: by latency, and by the bytes that they take."""

import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from functools import partial

from facemon.domain.image_input import FetchedImage, ImageInput
from facemon.errors import FacemonError
from facemon.predict.fetch_threads import FetchThreads

REQUESTS = 32
"""Images that are fetched or ready at once, at first."""
MOST_REQUESTS = 128
BYTES_AHEAD = 64 * 2**20
"""Bytes of images that are fetched or ready; one larger image goes alone."""
MOST_OUTAGES = 8
"""When so many images in a row fail for a reason that is not theirs, the next would fail, too."""
_LOOK_AROUND_S = 0.1

_Waiting = deque[tuple[ImageInput, Future[FetchedImage] | None]]


def fetched_ahead(inputs: Iterable[ImageInput], stop: threading.Event) -> Generator[ImageInput]:
    """Yield inputs in their order, with the bytes of those that have to be fetched, or with what is wrong with them.

    Others pass through, and are not read ahead while none is fetched. The stream ends early once `stop` is set.
    FacemonError when the network or the credentials fail rather than single images, and that of the inputs, once all
    images before it are yielded. Close it to end its threads.
    """
    stream, requests, outages = _Stream(inputs), REQUESTS, 0
    held = 0  # bytes of images that came with their content, such as those of an archive
    waiting: _Waiting = deque()
    room = _Room(BYTES_AHEAD)
    threads: FetchThreads[FetchedImage] = FetchThreads()
    try:
        while True:
            while len(waiting) < requests and held < BYTES_AHEAD and (image := stream.next()) is not None:
                if image.fetch is None and not waiting:
                    yield image
                else:
                    waiting.append((image, _begin(threads, room, image, requests)))
                    held += len(image.content or b"")
            if not waiting:
                if stream.fault is not None:
                    raise stream.fault
                return
            if len(waiting) == requests and _are_all_awaited(waiting):
                # More requests at once hide a longer latency.
                requests = min(requests + 1, MOST_REQUESTS)
            image, future = waiting.popleft()
            if future is None:
                held -= len(image.content or b"")
                yield image
                continue
            if (fetched := _result(future, room, stop)) is None:
                return
            outages = outages + 1 if fetched.outage else 0
            if outages == MOST_OUTAGES:
                raise _outage(image, fetched)
            yield _with(image, fetched)
    finally:
        room.close()
        threads.end()


class _Stream:
    """Inputs up to the first that cannot be had."""

    def __init__(self, inputs: Iterable[ImageInput]) -> None:
        self._inputs: Iterator[ImageInput] = iter(inputs)
        self.fault: FacemonError | None = None

    def next(self) -> ImageInput | None:
        """Return the next input; None at the end and after a fault."""
        if self.fault is not None:
            return None
        try:
            return next(self._inputs, None)
        except FacemonError as error:
            self.fault = error
            return None


class _Room:
    """Room for the bytes of images, in which the image that is waited for always finds some."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._number = 0
        self._wanted = 0
        self._sizes: dict[int, int] = {}
        self._is_closed = False
        self._changed = threading.Condition()

    def number(self) -> int:
        """Return the number of the next image, from 0 on."""
        self._number += 1
        return self._number - 1

    def take(self, number: int, size: int) -> None:
        """Wait until there is room for an image, or it is the one that is wanted."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_closed or number <= self._wanted or self._taken + size <= self._most
            )
            if self._is_closed:
                raise _ClosedError
            self._taken += size
            self._sizes[number] = size

    def hand_on(self) -> None:
        """Free the room of the image that was wanted, and want the next one."""
        with self._changed:
            self._taken -= self._sizes.pop(self._wanted, 0)
            self._wanted += 1
            self._changed.notify_all()

    def close(self) -> None:
        """End all waiting."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()


class _ClosedError(Exception):
    """The image is no longer waited for."""


def _begin(
    threads: FetchThreads[FetchedImage], room: _Room, image: ImageInput, most: int
) -> Future[FetchedImage] | None:
    if image.fetch is None:
        return None
    return threads.submit(partial(image.fetch, partial(room.take, room.number())), most)


def _are_all_awaited(waiting: _Waiting) -> bool:
    """Whether the images that wait are all being fetched still."""
    return all(future is not None and not future.done() for _, future in waiting)


def _result(future: Future[FetchedImage], room: _Room, stop: threading.Event) -> FetchedImage | None:
    """Wait for an image; None once the run is to stop."""
    while not future.done():
        with suppress(TimeoutError):
            future.exception(_LOOK_AROUND_S)
        if stop.is_set():
            return None
    room.hand_on()
    return future.result()


def _with(image: ImageInput, fetched: FetchedImage) -> ImageInput:
    return image._replace(
        fetch=None,
        content=None if fetched.problem else fetched.content,
        problem=fetched.problem,
        observed_at=image.observed_at or fetched.modified,
    )


def _outage(image: ImageInput, fetched: FetchedImage) -> FacemonError:
    what = fetched.problem.message if fetched.problem else "cannot be fetched"
    return FacemonError(f"{image.name}: {what}; {MOST_OUTAGES} images in a row failed so", fetched.outage)
