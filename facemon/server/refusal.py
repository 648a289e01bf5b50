"""A request that is not answered: the code, why, and what the sender should know."""

import json
from typing import NoReturn

from facemon.domain.request_outcome import REFUSALS
from facemon.server.asgi import Header, Scope, Send, send_response
from facemon.server.counted_requests import REQUEST_ID

_NAMES = REFUSALS | {500: "failed"}
_JSON = (b"content-type", b"application/json")


class Refused(Exception):
    """Ends a request with a code and a message for its sender."""

    def __init__(self, code: int, message: str, *headers: Header) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.headers = headers


def refuse(code: int, message: str, *headers: Header) -> NoReturn:
    """End the request here."""
    raise Refused(code, message, *headers)


async def send_refusal(scope: Scope, send: Send, refused: Refused) -> None:
    """Answer a refused request."""
    name = _NAMES.get(refused.code, "refused")
    document = {"error": name, "message": refused.message, "request": scope[REQUEST_ID].decode()}
    await send_json(send, refused.code, json.dumps(document).encode(), *refused.headers)


async def send_json(send: Send, code: int, body: bytes, *headers: Header) -> None:
    """Answer with JSON."""
    await send_response(send, code, body, _JSON, *headers)
