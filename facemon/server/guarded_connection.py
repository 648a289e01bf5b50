"""A connection that no sender can hold forever: limits on what the application never sees."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from facemon.server.asgi import BODY_IS_HERE
from facemon.server.joined_writes import JoinedWrites

_VERSIONS = ("1.0", "1.1")
"""The parser takes 0.9 and 2.0 too, whose responses have another form than ours."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How long and how much a sender may take; times in seconds, sizes in bytes."""

    connections: int
    """Beyond these the one goes that has waited longest for a request, or the new one if none waits."""
    head_seconds: float = 10.0
    """From a request's first byte, or the connection's begin, to the end of its head."""
    head_bytes: int = 32 * 2**10
    """Of a head, and of what comes in the place of a body without being one, such as trailers."""
    linger_seconds: float = 2.0
    """What is still sent after the answer is thrown away for so long, so that its sender can read the answer."""
    linger_bytes: int = 16 * 2**20
    pipelined: int = 16
    """Requests that wait behind the one that is being answered; what comes behind them is not read."""
    stalled_seconds: float = 30.0
    """How long an answer may wait for a client that does not read."""


class _Wait(Enum):
    """What a connection may be waiting for, each with a time of its own."""

    HEAD = auto()
    REST = auto()
    """Of a request that is answered already."""
    READER = auto()


class _PipelineIsFull(Exception):
    """Stops the parser."""


class GuardedConnection(HttpToolsProtocol):  # type: ignore[misc]
    """uvicorn's connection with limits; `refused` hears the code of each request that is ended here."""

    def __init__(
        self,
        *args: Any,
        limits: ConnectionLimits,
        refused: Callable[[int], None],
        waiting: "dict[GuardedConnection, None]",
        **options: Any,
    ) -> None:
        """`waiting` holds the connections without a request that is to be answered, the oldest first."""
        super().__init__(*args, **options)
        self._limits = limits
        self._refused = refused
        self._waiting = waiting
        self._is_in_head = self._is_full = False
        self._head_bytes = self._lingering_bytes = self._idle_bytes = 0
        self._timers: dict[_Wait, asyncio.TimerHandle] = {}
        self._answering: Any = None
        """The request whose answer is being written; of several that came at once, `cycle` is the last."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Take a connection, in the place of another one if there are too many."""
        super().connection_made(JoinedWrites(transport, self.loop))
        if len(self.connections) > self._limits.connections and not self._end_longest_waiting():
            self._refuse(503)
        else:
            self._waiting[self] = None
            self._limit(_Wait.HEAD, self._limits.head_seconds, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; nothing is written to it any more."""
        self._unlimit(*_Wait)
        self._waiting.pop(self, None)
        if self._answering is not None:
            self._answering.disconnected = True
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; 431 when a head does not end."""
        if self.transport.is_closing() or self._is_full:
            return
        was_in_head = self._is_in_head
        self._idle_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._is_in_head:
            self._head_bytes = self._head_bytes + len(data) if was_in_head else len(data)
            if self._head_bytes > self._limits.head_bytes:
                self._refuse(431)
        elif self.cycle is not None and self.cycle.more_body and self._idle_bytes > self._limits.head_bytes:
            self.transport.abort()
        if self._is_in_head or self._is_idle:
            # Any byte ends uvicorn's own wait for another request, an empty line's too.
            self._begin_head()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        del msg
        if not self._is_full:
            self._refuse(400)

    def on_message_begin(self) -> None:
        """Begin a request; where too many wait already, the last of them ends the connection."""
        if len(self.pipeline) >= self._limits.pipelined:
            # `Connection: close` in its answer tells the client that no later request was seen (RFC 9112, 9.3.2).
            self.cycle.keep_alive = False
            self._is_full = True
            raise _PipelineIsFull
        self._is_in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Hand the request to the application."""
        self._is_in_head = False
        self._idle_bytes = 0
        self._unlimit(_Wait.HEAD)
        self._waiting.pop(self, None)
        if self.transport.is_closing():
            return
        if self.parser.get_http_version() not in _VERSIONS:
            self._refuse(400)
            return
        # A head that came in one piece was not measured yet.
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > self._limits.head_bytes:
            self._refuse(431)
            return
        super().on_headers_complete()
        if not self.pipeline:
            self._answering = self.cycle

    def on_body(self, body: bytes) -> None:
        """Take a part of a body, or throw it away when the request was answered."""
        self._idle_bytes = 0
        if self.cycle is None or self.transport.is_closing():
            return
        if self.cycle.response_complete:
            self._lingering_bytes += len(body)
            if self._lingering_bytes > self._limits.linger_bytes:
                self.transport.abort()
            return
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request; one that was answered before it ended is over now."""
        if self.cycle is None or self.transport.is_closing():
            return
        if self.cycle.response_complete:
            self.cycle.more_body = False
            self._unlimit(_Wait.REST)
        self.scope[BODY_IS_HERE] = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Begin the next request, or wait for one, or first for the end of this one."""
        if self.pipeline:
            self._answering = self.pipeline[-1][0]
        super().on_response_complete()
        # With pipelining the last request is not always the one that was answered.
        if self.transport.is_closing() or not self.cycle.response_complete:
            return
        self._waiting[self] = None
        if self.cycle.more_body:
            self._lingering_bytes = 0
            self._limit(_Wait.REST, self._limits.linger_seconds, self.transport.abort)

    def pause_writing(self) -> None:
        """Give a client some time to read."""
        super().pause_writing()
        self._limit(_Wait.READER, self._limits.stalled_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on writing."""
        super().resume_writing()
        self._unlimit(_Wait.READER)

    def timeout_keep_alive_handler(self) -> None:
        """End a connection that waits for another request; at once when its client does not even read."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or (self.cycle.response_complete and not self.cycle.more_body)

    def _begin_head(self) -> None:
        if _Wait.HEAD not in self._timers:
            self._limit(_Wait.HEAD, self._limits.head_seconds, self._head_is_late)

    def _limit(self, wait: _Wait, seconds: float, act: Callable[[], None]) -> None:
        self._unlimit(wait)
        self._timers[wait] = self.loop.call_later(seconds, act)

    def _unlimit(self, *waits: _Wait) -> None:
        for wait in waits if self._timers else ():
            if (timer := self._timers.pop(wait, None)) is not None:
                timer.cancel()

    def _end_longest_waiting(self) -> bool:
        """Make room for this connection; False where all others have sent a request that is not answered."""
        longest = next(iter(self._waiting), None)
        if longest is None:
            return False
        del self._waiting[longest]
        longest._head_is_late()  # noqa: SLF001 - another one of our kind
        return True

    def _head_is_late(self) -> None:
        if self._is_in_head:
            self._refuse(408)
        elif self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def _refuse(self, code: int) -> None:
        """End the connection without the application, with an answer where none is being sent."""
        self._refused(code)
        if self.pipeline or not (self.cycle is None or self.cycle.response_complete):
            self.transport.abort()
            return
        phrase = HTTPStatus(code).phrase
        self.transport.write(
            f"HTTP/1.1 {code} {phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
            f"content-length: {len(phrase) + 1}\r\nconnection: close\r\n\r\n{phrase}\n".encode()
        )
        self.transport.close()
        # Closing waits for a client to read, which need not ever happen.
        self._limit(_Wait.REST, self._limits.linger_seconds, self.transport.abort)
