"""An object store in a process of its own, with any number of objects of a few contents, made up as they are asked for.

Run as a program: it reads what it serves from its arguments, prints its address, and ends with its stdin.
"""

import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, cast

from tests.object_storage.origin import running_origin, s3_variables

BUCKET = "many"
_ROOT = Path(__file__).resolve().parent.parent
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Served:
    """What an origin holds, and how it answers."""

    folder: str
    """Its files, in the order of their names, are the contents of the numbered objects in turn."""
    count: int
    """Objects with numbers as keys, below `day/`."""
    delay_s: float = 0.0
    """How long each answer takes to begin."""
    files: str = ""
    """A folder whose files are objects below `shards/`."""


class Numbered(dict[str, bytes]):
    """A bucket with numbered objects, of which none is kept, and others, which are."""

    def __init__(self, contents: Sequence[bytes], count: int) -> None:
        super().__init__()
        self._contents, self._count = contents, count

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or self._number(str(key)) is not None

    def __missing__(self, key: str) -> bytes:
        number = self._number(key)
        if number is None:
            raise KeyError(key)
        return self._contents[number % len(self._contents)]

    def first(self, prefix: str, after: str, most: int) -> list[str]:
        """The first keys with a prefix and behind a key, up to a number."""
        if prefix == "day/":
            start = 0 if after < prefix else int(after[len(prefix) :].partition(".")[0]) + 1
            return [f"day/{number:0{_DIGITS}}.jpg" for number in range(start, min(start + most, self._count))]
        return sorted(key for key in self if key.startswith(prefix) and key > after)[:most]

    def _number(self, key: str) -> int | None:
        digits = key.removeprefix("day/").removesuffix(".jpg")
        if not (digits.isdigit() and len(digits) == _DIGITS and int(digits) < self._count):
            return None
        return int(digits)


@contextmanager
def running(served: Served, cores: Collection[int]) -> Iterator[dict[str, str]]:
    """Run an origin on some cores until the block ends; the variables with which s3://many/ leads to it."""
    command = [sys.executable, "-m", "benchmarks.many_origin", json.dumps(asdict(served)), json.dumps(sorted(cores))]
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield s3_variables(cast("IO[str]", process.stdout).readline().strip())
        finally:
            cast("IO[str]", process.stdin).close()


def _serve(served: Served, cores: Collection[int]) -> None:
    os.sched_setaffinity(0, cores)
    bucket = Numbered([path.read_bytes() for path in sorted(Path(served.folder).iterdir())], served.count)
    if served.files:
        bucket |= {f"shards/{path.name}": path.read_bytes() for path in Path(served.files).iterdir()}

    with running_origin(delay_s=served.delay_s, keys=Numbered.first) as origin:
        origin.buckets[BUCKET] = bucket
        print(origin.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    _serve(Served(**json.loads(sys.argv[1])), json.loads(sys.argv[2]))
