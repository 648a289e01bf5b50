"""A small HTTP server for scrapes: one thread waits for all clients, few others work, and all are bounded.

A request is a head without a body, its answer one piece, its connection then closed. A client that dawdles holds
nothing but its connection, and loses that when others need one.
"""

import asyncio
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus

_MAX_CONNECTIONS = 128
"""Beyond these the client goes that has kept us waiting longest for its request."""
_MAX_WORKERS = 16
"""Answers that are worked on at once, a thread for each; more are told to come back."""
_MAX_HEAD = 16 * 2**10
_HEAD_SECONDS = 10.0
"""How long a client may take over its request, and again over taking the answer."""
GRACE_SECONDS = 5.0
"""How long a stop waits for answers that are on their way."""
_LINGER_SECONDS = 1.0
_TOO_LARGE = (HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the request's head is too large")
_REQUEST_LINE = re.compile(r"([A-Z]{1,16}) (?:https?://[^/? ]*)?(/[^ ?]*)(?:\?([^ ]*))? HTTP/1\.[01]")


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a request; header names in small letters, of a repeated header the first."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in one piece."""

    status: HTTPStatus
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def text_answer(status: HTTPStatus, text: str, **headers: str) -> Answer:
    """A line of plain text; header names are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, f"{text}\n".encode(), {"Content-Type": "text/plain; charset=utf-8", **named})


Application = Callable[[Request], Answer | Callable[[], Answer]]
"""The answer where it is at hand, else the work that makes it, which is done in another thread."""


class _Refused(Exception):
    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.answer = text_answer(status, text)


@contextmanager
def serving(listening: socket.socket, application: Application) -> Iterator[int]:
    """Answer what comes to a listening socket while the block runs, and tell its port; then finish what has begun.

    All of it happens in threads of its own: a signal that ends the block never falls into the server's code.
    """
    server = _Server(application)
    thread = threading.Thread(target=lambda: asyncio.run(server.run(listening)), name="http", daemon=True)
    port = int(listening.getsockname()[1])
    thread.start()
    try:
        server.is_ready.wait()
        yield port
    finally:
        server.stop()
        thread.join()


class _Server:
    def __init__(self, application: Application) -> None:
        self.is_ready = threading.Event()
        self._application = application
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over = asyncio.Event()
        self._waiting: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}
        """Connections whose request is not complete, the oldest first."""
        self._answering: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}
        self._workers = 0

    def stop(self) -> None:
        """Stop from another thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._over.set)

    async def run(self, listening: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._connected, sock=listening, limit=_MAX_HEAD)
        self.is_ready.set()
        await self._over.wait()
        server.close()
        for task in self._waiting.values():
            task.cancel()
        if self._answering:
            await asyncio.wait(self._answering.values(), timeout=GRACE_SECONDS)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._converse(reader, writer))
        self._waiting[writer] = task
        task.add_done_callback(lambda _: self._forget(writer))
        if len(self._waiting) + len(self._answering) > _MAX_CONNECTIONS:
            # Ours is among them: where all others are being answered, it is this one that goes.
            self._waiting.pop(next(iter(self._waiting))).cancel()

    def _forget(self, writer: asyncio.StreamWriter) -> None:
        self._waiting.pop(writer, None)
        self._answering.pop(writer, None)
        writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):  # a client that left or dawdled; a time that is up is one too
            try:
                async with asyncio.timeout(_HEAD_SECONDS):
                    request = await _read_request(reader)
                self._answering[writer] = self._waiting.pop(writer)
                answer, is_head = await self._answer(request), request.method == "HEAD"
            except _Refused as refused:
                answer, is_head = refused.answer, False
            async with asyncio.timeout(_HEAD_SECONDS):
                writer.write(_head_of(answer) + (b"" if is_head else answer.body))
                await writer.drain()
                writer.write_eof()
            # What the client still sends is taken: closing on it would reset the connection, and lose the answer.
            async with asyncio.timeout(_LINGER_SECONDS):
                while await reader.read(_MAX_HEAD):
                    pass

    async def _answer(self, request: Request) -> Answer:
        made = self._application(request)
        if isinstance(made, Answer):
            return made
        if self._workers >= _MAX_WORKERS:
            return text_answer(HTTPStatus.SERVICE_UNAVAILABLE, "too many scrapes at once", Retry_After="1")
        self._workers += 1
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Answer] = loop.create_future()

        def deliver(answer: Answer) -> None:
            self._workers -= 1
            if not answered.done():
                answered.set_result(answer)

        def work() -> None:
            answer = text_answer(HTTPStatus.INTERNAL_SERVER_ERROR, "the exporter failed")
            try:
                answer = made()
            finally:  # a fault of ours is Python's to print; the client hears that there was one
                with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                    loop.call_soon_threadsafe(deliver, answer)

        threading.Thread(target=work, name="answer", daemon=True).start()
        return await answered


async def _read_request(reader: asyncio.StreamReader) -> Request:
    lines = list[bytes]()
    size = 0
    while (line := await _read_line(reader)) not in (b"\r\n", b"\n"):
        size += len(line)
        if size > _MAX_HEAD:
            raise _Refused(*_TOO_LARGE)
        lines.append(line)
    match = _REQUEST_LINE.fullmatch(lines[0].decode("latin-1").rstrip("\r\n")) if lines else None
    if match is None:
        raise _Refused(HTTPStatus.BAD_REQUEST, "this is not an HTTP request")
    headers: dict[str, str] = {}
    for header in lines[1:]:
        name, _, value = header.decode("latin-1").partition(":")
        headers.setdefault(name.strip().lower(), value.strip())
    return Request(match[1], match[2], match[3] or "", headers)


async def _read_line(reader: asyncio.StreamReader) -> bytes:
    try:
        line = await reader.readline()
    except ValueError:  # longer than the reader's limit
        raise _Refused(*_TOO_LARGE) from None
    if not line.endswith(b"\n"):
        raise ConnectionResetError
    return line


def _head_of(answer: Answer) -> bytes:
    headers = {**answer.headers, "Content-Length": str(len(answer.body)), "Connection": "close"}
    lines = [f"HTTP/1.1 {answer.status.value} {answer.status.phrase}", *(f"{n}: {v}" for n, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
