"""Decides which tests begin a run of several workers: those that wait longest, so that no worker ends with one."""

from collections.abc import Callable, Hashable, Sequence
from itertools import islice
from typing import TypeVar

Test = TypeVar("Test")


def in_turn(
    tests: Sequence[Test], waits: Callable[[Test], bool], module_of: Callable[[Test], Hashable], workers: int
) -> list[Test]:
    """The tests in an order for workers that begin with equal parts of the list, as those of xdist do.

    Every other worker begins with tests that wait: the rest compute meanwhile. Those of a module stay together, since
    they share what they set up.
    """
    waiting: dict[Hashable, list[Test]] = {}
    for test in filter(waits, tests):
        waiting.setdefault(module_of(test), []).append(test)
    others = iter([test for test in tests if not waits(test)])
    ordered: list[Test] = []
    for worker in range(workers):
        size = (len(tests) - len(ordered)) // (workers - worker)
        modules = list(waiting.values())[worker // 2 :: (workers + 1) // 2] if worker % 2 == 0 else []
        part = [test for module in modules for test in module]
        ordered += [*part, *islice(others, max(0, size - len(part)))]
    return [*ordered, *others]
