"""One keep-alive connection of HTTP/1.1, as cheap as Python can have it: a load must not take the server's cores."""

import asyncio
from typing import cast

_END_OF_HEAD = b"\r\n\r\n"
_BOUNDARY = "facemon-bench"


def body_of(image: bytes, field: str | None) -> tuple[str, bytes]:
    """An image's content type and the request's body: itself, or with a `field` a form with that file."""
    if field is None:
        return "image/jpeg", image
    disposition = f'Content-Disposition: form-data; name="{field}"; filename="image.jpg"'
    head = f"--{_BOUNDARY}\r\n{disposition}\r\nContent-Type: image/jpeg\r\n\r\n".encode()
    return f"multipart/form-data; boundary={_BOUNDARY}", head + image + f"\r\n--{_BOUNDARY}--\r\n".encode()


def request_bytes(image: bytes, port: int, field: str | None) -> bytes:
    """A whole request of POST /predict."""
    kind, body = body_of(image, field)
    lines = ("POST /predict HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Type: {kind}")
    return "\r\n".join((*lines, f"Content-Length: {len(body)}")).encode() + _END_OF_HEAD + body


class Connection:
    """Connects when it is opened or first used, and again where the server closed it after an answer."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._stream: _Stream | None = None

    async def exchange(self, request: bytes) -> int:
        """Send a request; the answer's status, or OSError where the server closed without one."""
        stream = self._stream
        if stream is None or not stream.is_open:
            stream = await self.open()
        return await stream.exchange(request)

    async def open(self) -> "_Stream":
        """Connect; OSError where nobody listens."""
        _, self._stream = await asyncio.get_running_loop().create_connection(_Stream, "127.0.0.1", self._port)
        return self._stream

    def close(self) -> None:
        """Close at once, whatever is under way."""
        if self._stream is not None:
            self._stream.close()


class _Stream(asyncio.Protocol):
    """One TCP connection."""

    def __init__(self) -> None:
        self.is_open = False
        self._received = bytearray()
        self._answer: asyncio.Future[int] | None = None

    async def exchange(self, request: bytes) -> int:
        self._received.clear()
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        self.is_open = False
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        """Take what came; the answer is there once its body is whole."""
        self._received += data
        end = self._received.find(_END_OF_HEAD)
        if end < 0:
            return
        head = bytes(self._received[:end]).lower()
        length = next((line for line in head.split(b"\r\n") if line.startswith(b"content-length:")), None)
        if length is None:
            raise ValueError("the server answers in a form that the bench does not read: no Content-Length")
        if len(self._received) < end + len(_END_OF_HEAD) + int(length.partition(b":")[2]):
            return
        if b"\r\nconnection: close" in head:
            self.is_open = False
            self._transport.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(int(head.split(b" ", 2)[1]))

    def connection_lost(self, exc: Exception | None) -> None:
        """A request that is under way has no answer then."""
        self.is_open = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("closed without an answer"))
