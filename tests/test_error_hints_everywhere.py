"""Every error that is raised says what to do: in its hint, in its text, or by the error of the system below it."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.module_tree import MODULES, nodes_of, room_of

ERRORS = {"FacemonError", "UsageError", "ConfigError", "LockedError", "NoStoreError"}
SAYS_WHAT_TO_WRITE = re.compile(r": write |: there are |is not one of |lies between|is not a number from|is not UTF-8")
"""Of errors that tell all that a value may be."""
REASONED = {
    "config/loader.py": "its lines are the faults of a file, each with its own place and remedy",
    "application/diagnosis.py": "names the option, and has the words of what reads addresses",
    "doctor/area.py": "a finding for an error of the system, which may have a hint of its own",
    "engines/processes.py": "is raised from an error of the system, which has the hint",
    "render/output_tree.py": "is raised from an error of the system, which has the hint",
    "server/prediction_queue.py": "the answer to a client, whose code says whether to ask again",
    "store/ledger/sqlite_errors.py": "has the hint of the SQLite error that it is raised from",
}
"""Why the errors of a module may have no hint."""


def without_hint(module: str) -> Iterator[tuple[int, str]]:
    """The errors of a module that have one argument, and no error below them."""
    chained = {
        call
        for node in nodes_of(module)
        if isinstance(node, ast.Raise) and node.cause is not None and not is_none(node.cause)
        for call in ast.walk(node)
    }
    for node in nodes_of(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
            is_silent = len(node.args) < 2 and not node.keywords and node not in chained
            if is_silent and not SAYS_WHAT_TO_WRITE.search(ast.unparse(node)):
                yield node.lineno, ast.unparse(node)


def is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


# Errors of facemon.Monitor name a value of the program that called it.
ROOMS = sorted({room_of(module) for module in MODULES} - {"monitor"})


@pytest.mark.parametrize("room", ROOMS)
def test_an_error_says_what_to_do(room: str) -> None:
    modules = [module for module in MODULES if room_of(module) == room and module not in REASONED]
    assert [f"facemon/{m}:{line}: {text}" for m in modules for line, text in without_hint(m)] == []


def test_each_exception_is_still_needed() -> None:
    assert [module for module in REASONED if not any(without_hint(module))] == []
