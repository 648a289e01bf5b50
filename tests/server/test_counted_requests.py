"""Around an application: ids, counts and entries of its requests, over real sockets and for messages of other kinds."""

import asyncio
import contextlib
import re
import time
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from facemon.server.asgi import Application, Message, Receive, Scope, Send
from facemon.server.counted_requests import CountedRequests
from facemon.server.request_counts import RequestCounts
from facemon.store.total_families import LATENCY
from tests.server.served_api import Api, picture


def test_each_request_has_an_id_its_own_or_one_that_was_made_up(api: Api) -> None:
    given = api.ask("GET", "/health", headers={"X-Request-ID": "camera-7:0001"})[2]["x-request-id"]
    made = [api.ask("GET", "/health")[2]["x-request-id"] for _ in range(3)]
    assert given == "camera-7:0001"
    assert len(set(made)) == 3
    assert all(re.fullmatch(r"[0-9a-f]{8}-\d+", each) for each in made)
    for malformed in ("", "two words", "x" * 65, "<script>", 'a"b', "é"):
        answer = api.ask("GET", "/nothing", headers={"X-Request-ID": malformed.encode().decode("latin-1")})
        assert re.fullmatch(r"[0-9a-f]{8}-\d+", answer[2]["x-request-id"]), malformed
        assert answer[2]["x-request-id"] in answer[1]


def test_an_entry_tells_of_a_request_and_of_no_image(api: Api) -> None:
    api.ask("POST", "/predict?source=secret-gate", picture(), {"X-Request-ID": "one"})
    api.ask("GET", "/secret-path", headers={"X-Request-ID": "two"})
    first, second = api.access
    assert 0 < first.pop("seconds") < 5
    expected = {"client": "127.0.0.1", "method": "POST", "endpoint": "/predict", "code": 200}
    assert first == {"request": "one"} | expected
    assert (second["endpoint"], second["code"], second["request"]) == ("unmatched", 404, "two")
    assert "secret" not in str(api.access)


def run(
    application: Application, path: str, *, kind: str = "http", **options: Any
) -> tuple[RequestCounts, list[Message]]:
    sent: list[Message] = []
    counts = RequestCounts()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": kind, "method": "GET", "path": path, "headers": [], "query_string": b"", "client": None}
    asyncio.run(CountedRequests(application, counts, **options)(scope, receive, send))
    return counts, sent


def counted(counts: RequestCounts) -> dict[Sequence[str], float]:
    return {key.labels: value for key, value in counts.totals().items() if key.metric == "api_requests_total"}


@pytest.mark.parametrize("gives_up", [False, True], ids=["to the end", "in vain"])
def test_the_seconds_of_a_request_are_not_those_of_its_slow_sender(gives_up: bool) -> None:
    counts, waited = RequestCounts(), list[float]()

    async def receive() -> Message:
        began = time.perf_counter()
        try:
            await asyncio.sleep(0.2)
        finally:
            waited.append(time.perf_counter() - began)
        return {"type": "http.request", "body": b"x", "more_body": len(waited) < 3}

    async def application(_: Scope, receive: Receive, send: Send) -> None:
        if gives_up:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(receive(), 0.1)
        else:
            while (await receive())["more_body"]:
                pass
        await PlainTextResponse("hello")({"type": "http"}, receive, send)

    async def ask() -> float:
        began = time.perf_counter()
        scope: Scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}
        await CountedRequests(application, counts, endpoint_of=lambda _: "/predict")(scope, receive, discard)
        return time.perf_counter() - began

    elapsed = asyncio.run(ask())
    seconds = next(value for key, value in counts.totals().items() if (key.metric, key.part) == (LATENCY, "sum"))
    assert len(waited) == (1 if gives_up else 3)
    assert 0 < seconds <= elapsed - sum(waited)


async def discard(_: Message) -> None:
    """Take a message, and leave it at that."""


async def greet(_: Request) -> Response:
    return PlainTextResponse("hello")


@pytest.mark.parametrize(
    ("path", "endpoint"), [("/own/v1/7", "/own/v1/{id}"), ("/own/v1/8", "/own/v1/{id}"), ("/own/x", "unmatched")]
)
def test_routes_of_mounted_applications_are_named_by_their_whole_template(path: str, endpoint: str) -> None:
    inner = Starlette(routes=[Route("/v1/{id}", greet)])
    counts, _ = run(Starlette(routes=[Mount("/own", inner)]), path)
    code = "404" if endpoint == "unmatched" else "200"
    assert counted(counts) == {(endpoint, "GET", "rejected" if code == "404" else "success", code): 1}


def test_what_is_no_http_request_is_handed_on_and_not_counted() -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        await send({"type": f"{scope['type']}.startup.complete"})

    counts, sent = run(application, "/", kind="lifespan")
    assert (counted(counts), sent) == ({}, [{"type": "lifespan.startup.complete"}])


def test_an_error_is_a_500_that_is_reported_or_goes_on() -> None:
    async def failing(*_: Any) -> None:
        raise ValueError("broken")

    reported: list[tuple[Exception, str]] = []
    entries: list[dict[str, Any]] = []
    counts, sent = run(failing, "/", report=lambda *each: reported.append(each), access_log=entries.append)
    assert counted(counts) == {("unmatched", "GET", "error", "500"): 1}
    assert (str(reported[0][0]), reported[0][1], sent) == ("broken", entries[0]["request"], [])
    with pytest.raises(ValueError, match="broken"):
        run(failing, "/")


def test_an_error_after_the_answer_is_counted_once() -> None:
    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 201, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        raise ValueError("too late")

    reported: list[Any] = []
    counts, sent = run(late, "/", report=lambda *each: reported.append(each))
    assert (len(reported), len(sent)) == (1, 2)
    assert counted(counts) == {("unmatched", "GET", "success", "201"): 1}
