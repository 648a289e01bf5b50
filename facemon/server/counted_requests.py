"""Around an application: every request gets an id, is counted, and leaves a line in the access log."""

import asyncio
import re
import secrets
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

from facemon.domain.request_outcome import CLIENT_GONE
from facemon.server.asgi import Application, Message, Receive, Scope, Send, header
from facemon.server.request_counts import RequestCounts
from facemon.server.route_templates import template_of

REQUEST_ID = "request_id"
"""Where an application finds the id of its request, in the scope."""
_HEADER = b"x-request-id"
_GIVEN_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
AccessLog = Callable[[dict[str, Any]], None]


class CountedRequests:
    """Counts each answer of an application by its route's template, just before the answer is sent.

    Its seconds are those that the application needed: the time in which it waited for the rest of a body, which the
    client decides, is not among them.

    An answer that an error cuts short counts as 500, one that was given up because its client left as what was sent of
    it, and as 499 where nothing was.
    """

    def __init__(
        self,
        application: Application,
        counts: RequestCounts,
        *,
        endpoint_of: Callable[[Scope], str] = template_of,
        report: Callable[[Exception, str], None] | None = None,
        access_log: AccessLog | None = None,
    ) -> None:
        """`report` hears of each error that ends a request, and of its id; without it the error goes on."""
        self._application = application
        self._first_id, self._requests = secrets.token_hex(4), count(1)
        self._counts = counts
        self._endpoint_of = endpoint_of
        self._report = report
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever is no HTTP request is handed on."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        finish = partial(self._finish, scope, time.perf_counter())
        request_id = scope[REQUEST_ID] = self._request_id(scope)
        answer = _Answer(receive, send, request_id, finish)
        try:
            await self._application(scope, answer.receive, answer.send)
        except asyncio.CancelledError:
            answer.finish(CLIENT_GONE if answer.code is None else answer.code)
            raise
        except Exception as error:
            answer.finish(500)
            if self._report is None:
                raise
            self._report(error, request_id.decode())
        else:
            # Cut short where the client has left; an application that answers nothing becomes the server's 500.
            answer.finish(answer.code or 500)

    def _request_id(self, scope: Scope) -> bytes:
        given = header(scope, _HEADER)
        return (given if _GIVEN_ID.fullmatch(given) else f"{self._first_id}-{next(self._requests)}").encode()

    def _finish(self, scope: Scope, began: float, code: int, waited: float) -> None:
        seconds = time.perf_counter() - began - waited
        endpoint = self._endpoint_of(scope)
        self._counts.count(endpoint, scope["method"], code, seconds)
        if self._access_log is not None:
            client = scope.get("client")
            self._access_log({
                "request": scope[REQUEST_ID].decode(), "client": client[0] if client else None,
                "method": scope["method"], "endpoint": endpoint, "code": code, "seconds": round(seconds, 6),
            })  # fmt: skip


class _Answer:
    """An answer on its way: what was sent of it, and whether its client still waits for it."""

    def __init__(self, receive: Receive, send: Send, request_id: bytes, finished: Callable[[int, float], None]) -> None:
        """`finished` hears of the answer's code, and for how many seconds the client's body was waited for."""
        self.code: int | None = None
        self._waited, self._is_body_there = 0.0, False
        self._receive, self._send = receive, send
        self._request_id = request_id
        self._finished = finished
        self._is_finished = self._is_client_gone = False

    async def receive(self) -> Message:
        if self._is_body_there:
            # All that is left to hear of is that the client leaves: an application may wait for that beside its work.
            message = await self._receive()
        else:
            began = time.perf_counter()
            try:
                message = await self._receive()
            finally:
                # Also when the application gives up on the body.
                self._waited += time.perf_counter() - began
            self._is_body_there = message["type"] == "http.request" and not message.get("more_body")
        if message["type"] == "http.disconnect":
            self._is_client_gone = True
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.code = message["status"]
            headers = [*message.get("headers", ())]
            if _HEADER not in [name.lower() for name, _ in headers]:
                headers.append((_HEADER, self._request_id))
            # A message of its own: the application may send the one that it gave again.
            message = {**message, "headers": headers}
        elif message["type"] == "http.response.body" and not message.get("more_body") and self.code is not None:
            # Before it is sent, so that who was answered finds the request counted.
            self.finish(self.code)
        try:
            await self._send(message)
        except OSError:
            self._is_client_gone = True
            raise

    def finish(self, code: int) -> None:
        """Count the request, once; what fails because its client has left is not a fault of the application."""
        if not self._is_finished:
            self._is_finished = True
            self._finished(CLIENT_GONE if self._is_client_gone and code >= 500 else code, self._waited)
