"""The socket that a server listens on."""

import os
import socket

from facemon.config.quantities import Listen
from facemon.errors import FacemonError

_BACKLOG = 2048


def open_socket(listen: Listen) -> socket.socket:
    """Listen on an address: from now on connections wait for `run_server`; FacemonError when that is impossible."""
    host = listen.host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, listen.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        # create_server raises an OSError of its own, whose number the system has no text for.
        if isinstance(error.__context__, socket.gaierror) or isinstance(error, socket.gaierror):
            raise FacemonError(
                f"cannot listen on {listen}: the host name {host} is not known",
                "name another host with --listen, such as 127.0.0.1",
            ) from error
        # Python's own text names the address once more.
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise FacemonError(f"cannot listen on {listen}: {reason}", "choose another address with --listen") from error
