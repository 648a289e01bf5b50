"""The server that reads from the socket of the ML API, or of the exporter: uvicorn with guarded connections."""

import resource
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial

import uvicorn

from facemon.errors import FacemonError
from facemon.server.asgi import Application
from facemon.server.guarded_connection import ConnectionLimits, GuardedConnection
from facemon.system_errors import explained

_IDLE_SECONDS = 10
_OTHER_FILES = 64
"""Files that the process needs beside its connections: the store, the model, pipes to workers."""
_RESTART = "start it again; if it fails once more, run it with --debug and report what that prints"


def most_connections(wanted: int) -> int:
    """How many connections this process can hold of those wanted; it asks the system for as many as it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return max(1, soft - _OTHER_FILES)
    return wanted


class HttpServer:
    """Answers requests until SIGINT or SIGTERM, or until it is told to stop."""

    def __init__(
        self,
        application: Application,
        *,
        limits: ConnectionLimits,
        patience: float,
        refused: Callable[[int], None],
        every_second: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`refused` hears the code of each request that is ended before the application sees it."""
        guarded = partial(GuardedConnection, limits=limits, refused=refused, waiting={})
        config = uvicorn.Config(
            application,
            http=guarded,
            loop="uvloop",
            lifespan="off",
            ws="none",
            # Whose address a proxy passes on is of no interest here, and anyone could pretend to be one.
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            # A scanner that does not speak HTTP is not worth a line; both applications report their own errors.
            log_level="critical",
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=max(1, round(patience)),
            callback_notify=every_second,
            timeout_notify=1,
        )
        self._server = uvicorn.Server(config)

    def run(self, listening: socket.socket) -> None:
        """Serve, then finish the requests that have begun, for at most `patience` seconds.

        A signal is raised again at the end, for the handler that was set before.
        """
        self._server.run(sockets=[listening])

    def stop(self) -> None:
        """End as a signal would end it; any thread may call this."""
        self._server.should_exit = True


@contextmanager
def serving(server: HttpServer, listening: socket.socket) -> Iterator[Callable[[], None]]:
    """Answer what comes to a listening socket while the block runs; then finish what has begun.

    All of it happens in a thread of its own: a signal that ends the block never falls into the server's code. The block
    gets a function to call now and then: it raises a FacemonError once the server has ended. A server that fails while
    it stops is one, too.
    """
    ended = Future[None]()

    def run() -> None:
        try:
            server.run(listening)
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits for the server
            ended.set_exception(error)
        else:
            ended.set_result(None)

    def check() -> None:
        if ended.done():
            raise _end_of_server(ended.exception()) from ended.exception()

    thread = threading.Thread(target=run, name="http", daemon=True)
    thread.start()
    try:
        yield check
    finally:
        server.stop()
        thread.join()
        if ended.exception() is not None:
            check()


def _end_of_server(error: BaseException | None) -> FacemonError:
    if error is None:
        return FacemonError("the HTTP server has ended without an error", _RESTART)
    known = explained(error) if isinstance(error, Exception) else None
    reason = known.message if known else f"{type(error).__name__}: {error}"
    return FacemonError(f"the HTTP server failed: {reason}", (known and known.hint) or _RESTART)
