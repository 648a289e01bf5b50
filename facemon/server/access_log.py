"""One line of JSON for each request, written by a thread: who reads slowly must not hold up who asks."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any, Self

from facemon.values.times import format_time

_MOST_WAITING = 10_000
"""Lines beyond these are left out, and said to be."""


class AccessLog:
    """Takes entries from any thread; `write` gets their lines, some at once."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._entries: SimpleQueue[tuple[datetime, dict[str, Any]] | None] = SimpleQueue()
        self._left_out = 0
        self._thread = threading.Thread(target=self._write_until_closed, name="access-log", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._entries.put(None)
        self._thread.join(1)

    def add(self, entry: dict[str, Any]) -> None:
        """Take an entry in; its line tells the time too."""
        if self._entries.qsize() >= _MOST_WAITING:
            self._left_out += 1
        else:
            self._entries.put((datetime.now(UTC), entry))

    def _write_until_closed(self) -> None:
        is_open = True
        while is_open:
            taken = [self._entries.get()]
            while not self._entries.empty():
                taken.append(self._entries.get())
            is_open = None not in taken
            lines = [json.dumps({"at": format_time(item[0])} | item[1]) for item in taken if item is not None]
            if self._left_out:
                lines.append(json.dumps({"at": format_time(datetime.now(UTC)), "left_out": self._left_out}))
                self._left_out = 0
            if lines:
                self._write("\n".join(lines))
