"""Remembers what was worked out of a configuration, for the many parts of the stack that ask for it."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from facemon.config.document import Config

_Answer = TypeVar("_Answer")


def remembered(work: Callable[[Config], _Answer]) -> Callable[[Config], _Answer]:
    """The function, which works only when asked of another configuration than the time before.

    A configuration is frozen, but the mappings in it have no hash: it is known by its identity.
    """
    last: tuple[Config, _Answer] | None = None

    @wraps(work)
    def answer(config: Config) -> _Answer:
        nonlocal last
        if last is None or last[0] is not config:
            last = (config, work(config))
        return last[1]

    return answer
