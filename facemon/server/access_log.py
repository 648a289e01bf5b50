"""One line of JSON for each request, written by a thread: who reads slowly must not hold up who asks."""

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Self

from facemon.domain.times import format_time
from facemon.printable import Lines

_MOST_WAITING = 10_000
"""Lines beyond these are left out, and said to be."""
_TOGETHER_SECONDS = 0.3
"""What comes within so long is written at once: to wake the thread for each would hold up who asks."""


class AccessLog:
    """Takes entries from any thread; `write` gets their lines, some at once."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._entries: deque[tuple[datetime, dict[str, Any]]] = deque()
        self._left_out = 0
        self._has_some, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._write_until_closed, name="access-log", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._has_some.set()
        self._thread.join(1)

    def add(self, entry: dict[str, Any]) -> None:
        """Take an entry in; its line tells the time too."""
        if len(self._entries) >= _MOST_WAITING:
            self._left_out += 1
            return
        self._entries.append((datetime.now(UTC), entry))
        if not self._has_some.is_set():
            self._has_some.set()

    def _write_until_closed(self) -> None:
        while not self._closing.is_set():
            self._has_some.wait()
            self._closing.wait(_TOGETHER_SECONDS)
            self._has_some.clear()
            self._write_entries()
        self._write_entries()

    def _write_entries(self) -> None:
        # As many as there are now: more may come as fast as they are taken.
        taken = [self._entries.popleft() for _ in range(len(self._entries))]
        entries: list[dict[str, Any]] = [{"at": format_time(at)} | entry for at, entry in taken]
        if self._left_out:
            entries.append({"at": format_time(datetime.now(UTC)), "left_out": self._left_out})
            self._left_out = 0
        if entries:
            self._write(Lines(_lines_of(entries)))


def _lines_of(entries: Sequence[Mapping[str, Any]]) -> str:
    """Encode all entries at once, which takes less time than one by one, and begin a line at each.

    JSON in ASCII has no line ends within; a quotation mark inside a text is escaped, so that no text looks like the
    beginning of an entry.
    """
    return json.dumps(entries)[1:-1].replace('}, {"at": ', '}\n{"at": ')
