"""An instrumented API of a user, its clients and its probes, at so many requests for each scrape."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from typing import Self

from facemon.server.asgi import Receive, Scope, Send
from tests.life.switch import Switch
from tests.monitor.own_apis import OwnApi, instrumented
from tests.patience import HANG_S

_PROBES = ("/health",) * 6
"""For each scrape: Kubernetes asks twice in ten seconds."""
_PREDICTIONS = 3
"""For each scrape, of ordinary clients."""


class ApiInUse:
    """The API on a port, and requests to it for as long as it is entered."""

    def __init__(self, port: int, interval_s: float) -> None:
        self._port, self._interval_s = port, interval_s
        self.server: Switch[OwnApi] = Switch(lambda: instrumented(self._answer, port=port, endpoint_of=_path))
        self._fails_each: int | None = None
        """One failing prediction in so many scrapes, and no other prediction; none = all is well."""
        self._stop = threading.Event()
        self._clients = threading.Thread(target=self._ask_again_and_again)

    def __enter__(self) -> Self:
        self.server.on()
        self._clients.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._clients.join()
        self.server.off()

    def fail(self, *, one_in_scrapes: int) -> None:
        """From now on there is only one prediction in so many scrapes, and it fails."""
        self._fails_each = one_in_scrapes

    def recover(self) -> None:
        """From now on ordinary clients ask, and all is well."""
        self._fails_each = None

    def restart(self) -> None:
        """End the process and start it anew, with all counters at 0."""
        self.server.off()
        self.server.on()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        status = 200 if self._fails_each is None else 500
        headers = [(b"content-type", b"text/plain"), (b"content-length", b"1")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"x"})

    def _ask_again_and_again(self) -> None:
        scrapes = 0
        while not self._stop.wait(self._interval_s):
            scrapes += 1
            each = self._fails_each
            predictions = _PREDICTIONS if each is None else int(scrapes % each == 0)
            with suppress(OSError, HTTPException), self._connected() as connection:
                for method, path in (*(("GET", path) for path in _PROBES), *((("POST", "/predict"),) * predictions)):
                    connection.request(method, path)
                    connection.getresponse().read()

    @contextmanager
    def _connected(self) -> Iterator[HTTPConnection]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=HANG_S)
        try:
            yield connection
        finally:
            connection.close()


def _path(scope: Scope) -> str | None:
    """The endpoint of a request to a framework that facemon does not know."""
    path: str = scope["path"]
    return path
