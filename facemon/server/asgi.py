"""The types of ASGI, which an application and what is put around it speak."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

BODY_IS_HERE = "body_is_here"
"""Key of a scope whose request's body has arrived as a whole, so that to receive it takes no time."""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def header(scope: Scope, name: bytes) -> str:
    """Return the value of a header, those of one that is repeated as a list; empty without one."""
    return ", ".join(value.decode("latin-1") for key, value in scope["headers"] if key == name)
