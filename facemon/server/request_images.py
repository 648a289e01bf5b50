"""The images of a request: its body, or the files of a form; refused as soon as it is known to be too much."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser, parse_options_header

from facemon.config.serving import ApiConfig
from facemon.domain.request_outcome import CLIENT_GONE
from facemon.server.arriving_bodies import ArrivingBodies
from facemon.server.asgi import BODY_IS_HERE, Receive, Scope, header
from facemon.server.client_address import client_of
from facemon.server.refusal import refuse

_UNTYPED = ("", "application/octet-stream", "application/x-www-form-urlencoded")
"""What clients call a body of which they know nothing; the last is curl's for `--data-binary`."""
_FORM = "multipart/form-data"
_AS_IT_IS = {
    "Content-Encoding": frozenset(("", "identity")),
    "Content-Transfer-Encoding": frozenset(("", "binary", "7bit", "8bit")),
}
"""What says how a body or a part of a form is encoded, and the values by which it is the image itself."""


class SentImage(NamedTuple):
    """An image as it was sent, with the name of its file or field."""

    name: str
    content: bytes


async def read_images(scope: Scope, receive: Receive, config: ApiConfig, arriving: ArrivingBodies) -> list[SentImage]:
    """All images of a request; none is empty."""
    headers: dict[bytes, bytes] = dict(scope["headers"])
    kind, options = parse_options_header(headers.get(b"content-type", b"").decode("latin-1"))
    if int(headers.get(b"content-length", 0)) > config.max_body:
        refuse(413, _too_large(config.max_body))
    for name in _AS_IT_IS:
        _refuse_encoded(name, header(scope, name.lower().encode()))
    if kind == _FORM:
        reader: _Body | _Form = _Form(options.get("boundary", ""), config.max_in_flight)
    elif kind in _UNTYPED or kind.startswith("image/"):
        reader = _Body()
    else:
        refuse(415, f"{kind} is not an image: send one as the body, or several as files of a form")
    if BODY_IS_HERE in scope:  # most bodies come together with their head, and then need no limit on how they arrive
        await _read_body(receive, reader, config.max_body, lambda _: None)
    else:
        async with arriving.arriving(client_of(scope)) as body:
            await _read_body(receive, reader, config.max_body, partial(arriving.grow, body))
    return reader.images()


async def _read_body(receive: Receive, reader: "_Body | _Form", limit: int, is_arriving: Callable[[int], None]) -> None:
    """Hand a body to its reader; `is_arriving` hears of the bytes of each piece but the last."""
    size, is_more = 0, True
    while is_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            refuse(CLIENT_GONE, "")
        chunk, is_more = message["body"], message.get("more_body", False)
        size += len(chunk)
        if size > limit:
            refuse(413, _too_large(limit))
        if is_more:  # the last piece makes it complete, and most bodies have one piece
            is_arriving(len(chunk))
        reader.add(chunk)


class _Body:
    """One image, which is the whole body."""

    def __init__(self) -> None:
        self._content: bytes | bytearray = b""

    def add(self, chunk: bytes) -> None:
        if not self._content:  # most bodies are one chunk, which is not copied
            self._content = chunk
            return
        if isinstance(self._content, bytes):
            self._content = bytearray(self._content)
        self._content += chunk

    def images(self) -> list[SentImage]:
        if not self._content:
            refuse(400, "the body is empty: send an image")
        return [SentImage("body", bytes(self._content))]


class _Form:
    """The files of a form; its other fields are of no interest."""

    def __init__(self, boundary: str, most: int) -> None:
        if not boundary:
            refuse(400, f"{_FORM} needs a boundary")
        self._most = most
        # Strict, it would refuse a good form whose last line end comes in a packet of its own.
        self._parser = PushMultipartParser(boundary, max_segment_count=most)
        self._files: list[tuple[str, bytearray]] = []
        self._is_file = False

    def add(self, chunk: bytes) -> None:
        try:
            for found in self._parser.parse(chunk):
                self._take(found)
        except ParserLimitReached:
            refuse(413, f"the form has more than {self._most} parts, or a part with too long a head")
        except MultipartError as error:
            refuse(400, f"the form cannot be read: {error}")

    def _take(self, found: "MultipartSegment | bytearray | None") -> None:
        if isinstance(found, MultipartSegment):
            self._is_file = found.filename is not None
            if self._is_file:
                for name, value in found.headerlist:
                    if name in _AS_IT_IS:
                        _refuse_encoded(name, value)
                self._files.append((found.filename or found.name, bytearray()))
        elif found and self._is_file:
            self._files[-1][1].extend(found)

    def images(self) -> list[SentImage]:
        try:
            self._parser.close()
        except MultipartError as error:
            refuse(400, f"the form cannot be read: {error}")
        if not self._files:
            refuse(400, "the form has no file: curl -F image=@face.jpg sends one")
        for name, content in self._files:
            if not content:
                refuse(400, f"the file {name!r} is empty")
        return [SentImage(name, bytes(content)) for name, content in self._files]


def _refuse_encoded(name: str, value: str) -> None:
    """Refuse what would have to be decoded before it is an image: it is not a damaged image of its source."""
    if encoded := [each for each in value.split(",") if each.strip().lower() not in _AS_IT_IS[name]]:
        refuse(415, f"{name}: {encoded[0].strip()} is not accepted: send the image as it is")


def _too_large(limit: int) -> str:
    return f"the body is larger than {limit} bytes"
