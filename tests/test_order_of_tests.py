import random

import pytest

from tests.order_of_tests import in_turn


def waits(test: tuple[int, int]) -> bool:
    return test[0] % 3 == 0


def module(test: tuple[int, int]) -> int:
    return test[0]


@pytest.mark.parametrize("workers", range(1, 6))
@pytest.mark.parametrize("modules", [0, 1, 5, 40])
def test_each_test_is_run_once_and_every_other_worker_begins_with_those_that_wait(modules: int, workers: int) -> None:
    chance = random.Random(modules)
    tests = [(at, number) for at in range(modules) for number in range(chance.randint(1, 9))]
    found = in_turn(tests, waits, module, workers)
    assert sorted(found) == sorted(tests)
    # As xdist divides a list among its workers.
    parts, first = list[list[tuple[int, int]]](), 0
    for worker in range(workers):
        size = (len(found) - first) // (workers - worker)
        parts.append(found[first : first + size])
        first += size
    if modules == 40:
        assert [waits(part[0]) for part in parts] == [worker % 2 == 0 for worker in range(workers)]
        assert all(sorted(part, key=waits, reverse=True) == part for part in parts)
    # A module is begun once for those of its tests that are in the same part.
    for part in parts:
        begun = [module(test) for before, test in zip([(-1, 0), *part], part, strict=False) if test[0] != before[0]]
        assert len(begun) == len(set(begun))
