"""Asks a server once: no proxy, no redirect, limits of time and size; an error says which server it was."""

import json
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse
from socket import gaierror
from time import monotonic
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from facemon.config.web_address import origin
from facemon.errors import FacemonError

_ANSWER_S = 5.0
"""Seconds that a server may be silent."""
_WHOLE_ANSWER_S = 15.0
"""Seconds for a whole body: one that comes in drops is never silent."""
_LARGEST_ANSWER = 64 << 20
_CHUNK = 1 << 20
_SAID = 200
"""Bytes of a refusal that are shown."""


def _server(url: str) -> str:
    """The server alone: the path says what was asked, not where it is."""
    parts = urlsplit(url)
    return origin(f"{parts.scheme}://{parts.netloc}")


class NoAnswerError(FacemonError):
    """A server that cannot be reached, or that refuses; `status` is that of its refusal."""

    def __init__(
        self,
        message: str,
        hint: str | None = None,
        status: int | None = None,
        *,
        is_unknown_host: bool = False,
        is_refused: bool = False,
    ) -> None:
        super().__init__(message, hint)
        self.status = status
        self.is_unknown_host = is_unknown_host
        """Whether this machine does not know its name, which another one may."""
        self.is_refused = is_refused
        """Whether nothing listens there."""


class _NoRedirect(HTTPRedirectHandler):
    """A redirect would take a token to another server."""

    def redirect_request(self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str) -> None:
        """Follow none: the answer is then an error with its own code."""


def ask(url: str, token: str | None = None) -> bytes:
    """Return what a server answers to GET; NoAnswerError where it does not, or not with 2xx."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    request = Request(url, headers=headers)  # noqa: S310 - addresses are http and https only
    try:
        with build_opener(ProxyHandler({}), _NoRedirect()).open(request, timeout=_ANSWER_S) as answer:
            body = _body(url, answer)
    except HTTPError as error:
        with error:
            said = " ".join(error.read(_SAID).decode("utf-8", "replace").split())
        message = f"{_server(url)} answered {error.code} {error.reason}{f': {said}' if said else ''}"
        raise NoAnswerError(message, status=error.code) from None
    except (OSError, HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        said = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        is_unknown = isinstance(reason, gaierror)
        message = f"{_server(url)} cannot be reached: {str(said).lower()}"
        is_refused = isinstance(reason, ConnectionRefusedError)
        raise NoAnswerError(message, is_unknown_host=is_unknown, is_refused=is_refused) from None
    return body


def _body(url: str, answer: HTTPResponse) -> bytes:
    ends, body = monotonic() + _WHOLE_ANSWER_S, bytearray()
    while chunk := answer.read1(_CHUNK):
        body += chunk
        if len(body) > _LARGEST_ANSWER:
            raise NoAnswerError(f"{_server(url)} answered with more than {_LARGEST_ANSWER >> 20} MiB")
        if monotonic() > ends:
            raise NoAnswerError(f"{_server(url)} did not end its answer within {_WHOLE_ANSWER_S:g} s")
    return bytes(body)


def ask_json(url: str, token: str | None = None) -> Any:
    """Return the JSON that a server answers; NoAnswerError where there is none."""
    try:
        return json.loads(ask(url, token))
    except (ValueError, RecursionError):
        raise NoAnswerError(f"{_server(url)} did not answer in JSON", "check the address of the server") from None


def mapping(found: Any) -> Mapping[str, Any]:
    """Return an object of a server's JSON; TypeError for anything else, which no such server answers."""
    if not isinstance(found, dict):
        raise TypeError("not a JSON object")
    return found
