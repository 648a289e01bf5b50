"""How soon a newcomer has a first prediction and a first alert, by docs/tutorial.md."""

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.machine import Line
from tests.acceptance.typed_tutorial import typed_tutorial

ABOUT = """\
Wall time of the commands of `docs/tutorial.md`, typed into bash one after the other from the first one on, until one
has ended. Installing and reading are not in it.
"""
_SERVERS = Path(__file__).parents[1] / ".tools" / "servers"
_ASKED = {
    "facemon predict": ("first prediction: two commands", 10),
    "until grep": ("first alert in the mailbox", 600),
}
"""How the command begins that gives what is asked for, what that is, and within how many seconds it must have ended."""


def measure(folder: Path) -> Iterator[Line]:
    """The time up to the first prediction, and up to the alert in the mailbox."""
    ended, begin = dict[str, float](), time.perf_counter()
    with typed_tutorial(folder, _SERVERS) as typed:
        for command, printed, code in typed:
            if code != command.code:
                raise RuntimeError(f"{command.line} ended in {code}: {printed}")
            for start in _ASKED:
                if command.line.startswith(start):
                    ended.setdefault(start, time.perf_counter() - begin)
    for start, (what, most) in _ASKED.items():
        yield Line(what, f"{ended[start]:.1f} s", f"≤ {most} s", ended[start] <= most)
