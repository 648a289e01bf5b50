"""The types of ASGI, which an application and what is put around it speak."""

from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

BODY_IS_HERE = "body_is_here"
"""Key of a scope whose request's body has arrived as a whole, so that to receive it takes no time."""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]


def header(scope: Scope, name: bytes) -> str:
    """Return a header's value; repeated ones joined by commas; '' where it is missing."""
    return ", ".join([value.decode("latin-1") for key, value in scope["headers"] if key == name])


async def send_response(send: Send, status: int, body: bytes, *headers: Header, without_body: bool = False) -> None:
    """Send a response whose body is known as a whole; `without_body` for HEAD: the length alone."""
    # What is not modified has the length of what was sent before, which is not known here.
    length = [] if status == HTTPStatus.NOT_MODIFIED else [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*length, *headers]})
    await send({"type": "http.response.body", "body": b"" if without_body else body})
