"""Around an application: every request gets an id, is counted, and leaves a line in the access log."""

import re
import secrets
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from facemon.server.asgi import Application, Message, Receive, Scope, Send
from facemon.server.request_counts import RequestCounts
from facemon.values.request_outcome import UNMATCHED

REQUEST_ID = "request_id"
"""Where an application finds the id of its request, in the scope."""
_HEADER = b"x-request-id"
_GIVEN_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
AccessLog = Callable[[dict[str, Any]], None]


class CountedRequests:
    """Counts each answer of an application by its route's template, just before the answer is sent."""

    def __init__(
        self,
        application: Application,
        counts: RequestCounts,
        *,
        report: Callable[[Exception, str], None] | None = None,
        access_log: AccessLog | None = None,
    ) -> None:
        """`report` hears of each error that ends a request, and of its id; without it the error goes on."""
        self._application = application
        self._first_id, self._requests = secrets.token_hex(4), count(1)
        self._counts = counts
        self._report = report
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever is no HTTP request is handed on."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        began, code, is_answered = time.perf_counter(), 500, False
        request_id = scope[REQUEST_ID] = self._request_id(scope)

        async def counting(message: Message) -> None:
            nonlocal code, is_answered
            if message["type"] == "http.response.start":
                code = message["status"]
                message["headers"] = [*message.get("headers", ()), (_HEADER, request_id)]
            elif message["type"] == "http.response.body" and not message.get("more_body"):
                # Before it is sent, so that who was answered finds the request counted.
                is_answered = True
                self._finish(scope, code, time.perf_counter() - began)
            await send(message)

        try:
            await self._application(scope, receive, counting)
        except Exception as error:
            if not is_answered:
                self._finish(scope, 500, time.perf_counter() - began)
            if self._report is None:
                raise
            self._report(error, request_id.decode())

    def _request_id(self, scope: Scope) -> bytes:
        given = next((value for name, value in scope["headers"] if name == _HEADER), b"")
        return given if _GIVEN_ID.fullmatch(given) else f"{self._first_id}-{next(self._requests)}".encode()

    def _finish(self, scope: Scope, code: int, seconds: float) -> None:
        endpoint = template_of(scope)
        self._counts.count(endpoint, scope["method"], code, seconds)
        if self._access_log is not None:
            client = scope.get("client")
            self._access_log({
                "request": scope[REQUEST_ID].decode(), "client": client[0] if client else None,
                "method": scope["method"], "endpoint": endpoint, "code": code, "seconds": round(seconds, 6),
            })  # fmt: skip


def template_of(scope: Scope) -> str:
    """The template of the route that a request took, with those of the applications that it is mounted in."""
    template = getattr(scope.get("route"), "path", None)
    if not isinstance(template, str):
        return UNMATCHED
    mounted = scope.get("root_path", "").removeprefix(scope.get("app_root_path", ""))
    return f"{mounted}{template}"
