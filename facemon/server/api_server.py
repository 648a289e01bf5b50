"""The socket that the ML API listens on, and the server that reads from it."""

import os
import socket

from facemon.config.quantities import Listen
from facemon.errors import FacemonError
from facemon.server.api_metrics import Application

_BACKLOG = 2048
_IDLE_SECONDS = 10


def open_socket(listen: Listen) -> socket.socket:
    """Listen on an address: from now on connections wait for `run_server`; FacemonError when that is impossible."""
    host = listen.host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, listen.port), family=family, backlog=_BACKLOG)
    except socket.gaierror as error:
        raise FacemonError(f"cannot listen on {listen}: {error.strerror}", "name another host with --listen") from error
    except OSError as error:
        # Python's own text names the address once more.
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise FacemonError(f"cannot listen on {listen}: {reason}", "choose another address with --listen") from error


def run_server(application: Application, listening: socket.socket, *, patience: float) -> None:
    """Answer requests until SIGINT or SIGTERM, then finish those that have begun, for at most `patience` seconds.

    The signal is raised again at the end, for whoever handled it before.
    """
    import uvicorn

    config = uvicorn.Config(
        application,
        lifespan="off",
        ws="none",
        # Whose address a proxy passes on is of no interest here, and anyone could pretend to be one.
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        # A scanner that speaks no HTTP is no news; the application reports its own errors.
        log_level="critical",
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=max(1, round(patience)),
    )
    uvicorn.Server(config).run(sockets=[listening])
