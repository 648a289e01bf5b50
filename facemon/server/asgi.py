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
