"""Applications of one's own, instrumented and served by uvicorn on a free port."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

import facemon
from facemon.config.quantities import Listen
from facemon.server.asgi import Application, Message, Receive, Scope, Send
from facemon.server.listening_socket import open_socket
from tests.patience import HANG_S, wait_until


@dataclass
class OwnApi:
    """A served application, and a registry that is its alone."""

    port: int
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str, dict[str, str]]:
        """Status, text and headers of an answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=HANG_S)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), {name.lower(): text for name, text in answer.getheaders()}
        finally:
            connection.close()

    def samples(self, path: str = "/metrics") -> dict[tuple[str, ...], float]:
        """What /metrics shows: name and label values, sorted by the labels' names."""
        return {
            (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
            for family in text_string_to_metric_families(self.ask("GET", path)[1])
            for sample in family.samples
        }

    def requests(self) -> set[tuple[str, str, str, str, int]]:
        """Endpoint, method, status, code and count of the requests to the application."""
        return {
            (endpoint, method, status, code, int(value))
            for (name, *labels), value in self.samples().items()
            if name == "api_requests_total" and value
            for code, endpoint, method, status in (labels,)
            if endpoint != "/metrics"
        }

    def wait_for(self, *request: Any) -> None:
        """Wait until the requests are these."""
        wait_until(lambda: self.requests() == {request}, lambda: f"{request} instead of {self.requests()}")


@contextmanager
def instrumented(application: Application, *, port: int = 0, **options: Any) -> Iterator[OwnApi]:
    """Serve an instrumented application while the block runs, on a free port unless one is given."""
    api = OwnApi(0)
    app = facemon.instrument(application, **({"registry": api.registry} | options))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="on", ws="none"))
    with open_socket(Listen("127.0.0.1", port)) as listening:
        api.port = listening.getsockname()[1]
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield api
        finally:
            server.should_exit = True
            thread.join()


async def greet(scope: Scope, receive: Receive, send: Send) -> None:
    """An application of no framework."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send(_START)
    await send({"type": "http.response.body", "body": scope["path"].encode()})


_START: Message = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
"""One message for all answers, as an application may have it."""
