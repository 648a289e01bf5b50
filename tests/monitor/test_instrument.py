"""`facemon.instrument` around applications that uvicorn serves: what is counted, and what is left as it was."""

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Host, Mount, Route

import facemon
from facemon.server.asgi import Receive, Scope, Send
from tests.monitor.own_apis import greet, instrumented
from tests.patience import HANG_S


async def item(request: Request) -> Response:
    return PlainTextResponse(str(request.path_params.get("id", "none")))


async def fail(_: Request) -> Response:
    raise RuntimeError("broken")


def test_requests_are_counted_by_the_template_of_their_route() -> None:
    files = Mount("/files", app=greet)
    shop = Starlette(routes=[Route("/items/{id:int}", item, methods=["POST"])])
    routes = [
        Route("/items/{id}", item),
        Mount("/shops/{shop}", app=shop),
        files,
        Host("api.local", app=Starlette(routes=[Route("/hosted/{id}", item)])),
    ]
    with instrumented(Starlette(routes=routes)) as api:
        assert api.ask("GET", "/items/1")[:2] == (200, "1")
        assert api.ask("GET", "/items/2")[0] == 200
        assert api.ask("HEAD", "/items/3")[:2] == (200, "")
        assert api.ask("PUT", "/items/3")[0] == 405
        assert api.ask("POST", "/shops/a/items/1")[0] == 200
        assert api.ask("POST", "/shops/b/items/2")[0] == 200
        assert api.ask("POST", "/shops/c/nothing")[0] == 404
        assert api.ask("GET", "/files/a.txt")[0] == 200
        assert api.ask("GET", "/hosted/5", headers={"Host": "api.local"})[0] == 200
        assert [api.ask("GET", f"/none/{number}")[0] for number in range(3)] == [404] * 3
        assert api.requests() == {
            ("/items/{id}", "GET", "success", "200", 2),
            ("/items/{id}", "HEAD", "success", "200", 1),
            ("/items/{id}", "PUT", "rejected", "405", 1),
            ("/shops/{shop}/items/{id:int}", "POST", "success", "200", 2),
            ("/files", "GET", "success", "200", 1),
            ("/hosted/{id}", "GET", "success", "200", 1),
            ("unmatched", "POST", "rejected", "404", 1),
            ("unmatched", "GET", "rejected", "404", 3),
        }
        samples = api.samples()
        assert samples["api_request_latency_seconds_count", "/items/{id}", "GET"] == 2
        assert samples["api_request_latency_seconds_bucket", "/items/{id}", "10.0", "GET"] == 2
        # The ratio of failures has a numerator before the first of them.
        assert samples["api_requests_total", "500", "/items/{id}", "GET", "error"] == 0


def test_a_middleware_that_copies_the_scope_hides_no_route() -> None:
    class Copies:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await self.app(dict(scope), receive, send)

    routes = [Route("/items/{id}", item), Mount("/in/{shop}", routes=[Route("/{id}", item)])]
    with instrumented(Starlette(routes=routes, middleware=[Middleware(Copies)])) as api:
        assert [api.ask("GET", path)[0] for path in ("/items/1", "/in/a/2", "/none")] == [200, 200, 404]
        assert {endpoint for endpoint, *_ in api.requests()} == {"/items/{id}", "/in/{shop}/{id}", "unmatched"}


def test_a_route_of_fastapi_is_known_from_the_scope() -> None:
    """FastAPI is not installed here; its routes leave themselves in the scope, and its root_path is a proxy's."""

    class ApiRoute:
        path = "/users/{user}"

    async def framework(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope.update(route=ApiRoute(), endpoint=greet, root_path="/behind/proxy")
        await greet(scope, receive, send)

    with instrumented(framework) as api:
        assert api.ask("GET", "/users/3")[1] == "/users/3"
        assert api.requests() == {("/users/{user}", "GET", "success", "200", 1)}


def test_an_application_of_no_framework() -> None:
    with instrumented(greet) as api:
        first, second = (api.ask("GET", f"/{number}") for number in range(2))
        assert (first[1], second[1]) == ("/0", "/1")
        assert api.requests() == {("unmatched", "GET", "success", "200", 2)}
        # What the application sends again and again is not added to.
        assert second[2]["x-request-id"] != first[2]["x-request-id"]
        assert "," not in second[2]["x-request-id"]


def test_endpoints_that_the_caller_names() -> None:
    known = {"/a": "first", "/metrics": "never"}
    with instrumented(greet, endpoint_of=lambda scope: known.get(scope["path"])) as api:
        for path in ("/a", "/b", "/health"):
            assert api.ask("GET", path)[0] == 200
        assert {endpoint for endpoint, *_ in api.requests()} == {"first", "unmatched", "/health"}
        assert ("api_requests_total", "200", "/metrics", "GET", "success") in api.samples()


def test_an_error_goes_on_and_is_counted() -> None:
    seen: list[BaseException] = []
    app = facemon.instrument(Starlette(routes=[Route("/fail", fail)]), registry=None)

    async def watching(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except RuntimeError as error:
            seen.append(error)
            raise

    with instrumented(watching, metrics_path=None, health_path=None) as api:
        assert api.ask("GET", "/fail")[0] == 500
        assert api.requests() == {("/fail", "GET", "error", "500", 1)}
    assert [str(error) for error in seen] == ["broken"]


def test_streams_background_tasks_and_lifespan_are_as_before() -> None:
    happened: list[str] = []
    goes_on = threading.Event()

    async def parts() -> AsyncIterator[bytes]:
        for part in (b"a", b"b", b"c"):
            yield part

    async def stream(_: Request) -> Response:
        return StreamingResponse(parts(), background=BackgroundTask(after))

    def after() -> None:
        goes_on.wait(HANG_S)
        happened.append("after")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, str]]:
        happened.append("start")
        yield {"given": "x"}
        happened.append("end")

    async def state(request: Request) -> Response:
        return PlainTextResponse(request.state.given)

    routes = [Route("/stream", stream), Route("/state", state)]
    with instrumented(Starlette(routes=routes, lifespan=lifespan)) as api:
        assert api.ask("GET", "/stream")[1] == "abc"
        # Counted with its answer, not with what is done behind it.
        assert api.requests() == {("/stream", "GET", "success", "200", 1)}
        goes_on.set()
        assert api.ask("GET", "/state")[1] == "x"
    assert happened == ["start", "after", "end"]


def test_websockets_are_handed_on() -> None:
    seen: list[Any] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope, receive, send))

    async def send(_: Any) -> None:
        pass

    async def receive() -> dict[str, Any]:
        return {}

    scope = {"type": "websocket", "path": "/metrics", "headers": []}
    app = facemon.instrument(application)

    async def connect() -> None:
        await app(scope, receive, send)

    asyncio.run(connect())
    assert seen == [(scope, receive, send)]
    assert set(scope) == {"type", "path", "headers"}


def test_a_client_that_leaves_is_no_failure() -> None:
    began = threading.Event()

    async def read(request: Request) -> Response:
        began.set()
        return PlainTextResponse(str(len(await request.body())))

    with instrumented(Starlette(routes=[Route("/read", read, methods=["POST"])])) as api:
        with socket.create_connection(("127.0.0.1", api.port)) as client:
            client.sendall(b"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
            assert began.wait(HANG_S)
        api.wait_for("/read", "POST", "rejected", "499", 1)


def test_a_client_that_leaves_a_stream_counts_as_what_was_sent() -> None:
    async def parts() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000
            await asyncio.sleep(0.01)

    async def stream(_: Request) -> Response:
        return StreamingResponse(parts())

    with instrumented(Starlette(routes=[Route("/stream", stream)])) as api:
        with socket.create_connection(("127.0.0.1", api.port)) as client:
            client.sendall(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.recv(1000)
        api.wait_for("/stream", "GET", "success", "200", 1)


def test_request_ids() -> None:
    async def own(_: Request) -> Response:
        return PlainTextResponse("", headers={"X-Request-ID": "mine"})

    async def shown(request: Request) -> Response:
        return PlainTextResponse(request.scope["request_id"].decode())

    with instrumented(Starlette(routes=[Route("/own", own), Route("/shown", shown)])) as api:
        _, text, headers = api.ask("GET", "/shown")
        assert text == headers["x-request-id"]
        assert api.ask("GET", "/shown", headers={"X-Request-ID": "abc-1"})[2]["x-request-id"] == "abc-1"
        assert api.ask("GET", "/shown", headers={"X-Request-ID": "a b"})[2]["x-request-id"] != "a b"
        assert api.ask("GET", "/own")[2]["x-request-id"] == "mine"


def test_instrumenting_loads_nothing_heavy() -> None:
    program = (
        "import facemon, sys; facemon.instrument(lambda s, r, t: None);"
        "print(sorted({'numpy', 'pyarrow', 'pandas', 'pydantic', 'starlette'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
