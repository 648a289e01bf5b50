"""Images that wait for a worker: which of them a free one takes next, and together."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

from facemon.domain.image_header import read_header
from facemon.domain.image_input import ImageInput
from facemon.server.image_answers import Answer, AnsweredBatch

MOST_AT_ONCE = 8
"""Images of one inference; more would make the first wait for the last and gain nothing."""
_HEAVY_SECONDS = 0.25
"""What takes longer to decode, by its header, is predicted alone, and not by all workers at once."""


class Predicted(NamedTuple):
    """What became of one image: its answer, and its rows in the batch that it was predicted in."""

    answer: Answer
    batch: AnsweredBatch
    place: int


@dataclass(slots=True)
class Waiting:
    """An image and who waits for it."""

    image: ImageInput
    future: "asyncio.Future[Predicted]"
    is_heavy: bool
    arrival: int
    deaths: int = 0
    """Workers that died while they had it alone."""


class WaitingImages:
    """Hands out images in the order of their arrival, except that heavy ones may have to let others pass.

    An image whose worker died goes first, and alone.
    """

    def __init__(self) -> None:
        self._light: deque[Waiting] = deque()
        self._heavy: deque[Waiting] = deque()
        self._again: deque[Waiting] = deque()
        self._arrivals = count()

    @property
    def light(self) -> int:
        """How many are predicted together with others."""
        return len(self._light)

    @property
    def heavy(self) -> int:
        """How many are predicted alone, because decoding them may take long."""
        return len(self._heavy)

    @property
    def is_only_light(self) -> bool:
        """Whether no other images wait than those that are predicted together."""
        return not (self._heavy or self._again)

    def add(self, image: ImageInput, future: "asyncio.Future[Predicted]", *, is_heavy: bool) -> None:
        """Add an image that has just come."""
        queue = self._heavy if is_heavy else self._light
        queue.append(Waiting(image, future, is_heavy, next(self._arrivals)))

    def add_again(self, taken: Sequence[Waiting]) -> None:
        """Add images that were taken before, in the same order."""
        self._again.extendleft(reversed(taken))

    def take(self, *, may_be_heavy: bool, may_be_light: bool = True) -> Sequence[Waiting]:
        """Take what one worker is to predict at once; empty where nothing may be taken now."""
        for waiting in self._again:
            if may_be_heavy if waiting.is_heavy else may_be_light:
                self._again.remove(waiting)
                return (waiting,)
        is_lights_turn = bool(self._light) and may_be_light
        if self._heavy and may_be_heavy and not (is_lights_turn and self._light[0].arrival < self._heavy[0].arrival):
            return (self._heavy.popleft(),)
        return [self._light.popleft() for _ in range(min(MOST_AT_ONCE, len(self._light)))] if is_lights_turn else ()

    def take_all(self) -> Sequence[Waiting]:
        """Take all that wait."""
        taken = [*self._again, *self._heavy, *self._light]
        for each in (self._again, self._heavy, self._light):
            each.clear()
        return taken


def is_heavy(content: bytes) -> bool:
    """Whether an image may take long to decode, as far as its header tells."""
    header = read_header(content)
    return header is None or (header.excess is None and header.seconds > _HEAVY_SECONDS)
