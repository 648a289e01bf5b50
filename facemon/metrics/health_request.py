"""One question after a service's health: what counts as up, how far redirects are followed, how much is read."""

import socket
import string
import threading
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ssl import SSLCertVerificationError
from urllib.parse import quote, urljoin, urlsplit

from facemon.version import __version__

_MAX_REDIRECTS = 5
_MAX_BODY = 64 * 2**10
"""Bytes of an answer that are read; what follows is not waited for."""
_REDIRECTS = (301, 302, 303, 307, 308)
_HEADERS = {"User-Agent": f"facemon/{__version__}", "Accept": "*/*", "Connection": "close"}


class HealthRequest:
    """A GET with its redirects, which another thread may cut short wherever it hangs.

    No timeout of a socket could do that: it begins again with each byte that arrives. No proxy is asked.
    """

    def __init__(self, url: str, timeout: float) -> None:
        """`timeout` bounds each step, in seconds; what bounds the whole is who calls `cut`."""
        self._url = url
        self._timeout = timeout
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False

    def why_down(self) -> str | None:
        """Ask; None when the answer was a 2xx, else the reason in a few words."""
        url = self._url
        try:
            for _ in range(_MAX_REDIRECTS + 1):
                status, location = self._get(url)
                if status not in _REDIRECTS or not location:
                    return None if 200 <= status < 300 else f"it answered {status}"
                url = urljoin(url, quote(location, encoding="latin-1", safe=string.punctuation))
                if urlsplit(url).scheme not in ("http", "https") or "@" in urlsplit(url).netloc:
                    return "it redirects to an address that is not plain http or https"
        except TimeoutError:
            return "no answer in time"
        except SSLCertVerificationError as error:
            return f"its certificate is refused: {error.verify_message}"
        except OSError as error:
            return (error.strerror or str(error)).lower()
        except HTTPException:
            return "what it answers is not HTTP"
        except ValueError:
            return "it redirects to something that is not a web address"
        return f"it redirects more than {_MAX_REDIRECTS} times"

    def cut(self) -> None:
        """End the request from another thread: whatever it waits for is over."""
        with self._lock:
            self._is_cut = True
            if self._socket is not None:
                _shut(self._socket)

    def _get(self, url: str) -> tuple[int, str | None]:
        parts = urlsplit(url)
        make = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = make(parts.hostname or "", parts.port, timeout=self._timeout)
        try:
            connection.connect()
            self._adopt(connection.sock)
            target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            connection.request("GET", target, headers=_HEADERS)
            answer = connection.getresponse()
            # A service that says 200 and then hangs is not well.
            answer.read(_MAX_BODY)
            answer.close()
            return answer.status, answer.getheader("Location")
        finally:
            with self._lock:
                self._socket = None
            connection.close()

    def _adopt(self, connected: socket.socket) -> None:
        with self._lock:
            if self._is_cut:
                raise TimeoutError
            self._socket = connected


def _shut(connected: socket.socket) -> None:
    # One that is closed already needs nothing. Not a TLS socket's own way, which another thread's reading would feel.
    with suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)
