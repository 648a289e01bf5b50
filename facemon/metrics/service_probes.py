"""Whether external services answer, asked in the background: a scrape never waits for them."""

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Self
from urllib.parse import urljoin, urlsplit

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from facemon.values.metric_catalogue import CATALOGUE

_METRIC = "external_service_status"
_MOST_REDIRECTS = 3
_LAST_REFUSED = 299
_REDIRECTED = range(300, 400)
_SCHEMES = ("http", "https")


class ServiceProbes(Collector):
    """Asks each of some services' URLs over and over; one thread for each, so that none waits for another."""

    def __init__(self, services: Iterable[tuple[str, str]], *, interval: float, timeout: float) -> None:
        """`services` are names and URLs; `interval` and `timeout` are seconds, and the timeout is the shorter one."""
        self._interval = interval
        self._timeout = timeout
        self._stopping = threading.Event()
        self._up: dict[str, bool] = {}
        for name, url in services:
            threading.Thread(target=self._probe, args=(name, url), name=f"probe {name}", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()

    def describe(self) -> list[Family]:
        """Nothing: what will be known is not known yet."""
        return []

    def collect(self) -> Iterator[Family]:
        """The services that were asked; one that was not yet is absent."""
        if known := sorted(self._up.items()):
            family = GaugeMetricFamily(_METRIC, CATALOGUE[_METRIC].help, labels=CATALOGUE[_METRIC].labels)
            for name, is_up in known:
                family.add_metric((name,), float(is_up))
            yield family

    def _probe(self, name: str, url: str) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            self._up[name] = answers(url, self._timeout)
            self._stopping.wait(max(0.0, self._interval - (time.monotonic() - began)))


def answers(url: str, seconds: float) -> bool:
    """Whether a GET of a URL ends in a 2xx within so many seconds, redirects included; no proxy is used."""
    deadline = time.monotonic() + seconds
    for _ in range(_MOST_REDIRECTS + 1):
        parts = urlsplit(url)
        left = deadline - time.monotonic()
        if parts.scheme not in _SCHEMES or not parts.hostname or left <= 0:
            return False
        code, location = _get(url, left)
        if code not in _REDIRECTED or not location:
            return 200 <= code <= _LAST_REFUSED
        url = urljoin(url, location)
    return False


def _get(url: str, seconds: float) -> tuple[int, str | None]:
    """The code of an answer and where it leads; 0 where there is none in time. Its body is not read."""
    parts, began = urlsplit(url), time.monotonic()
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=seconds)
        # The timeout above is of each step alone: a server that sends a byte a second would never reach it.
        cut = threading.Timer(seconds, _cut, (connection,))
        cut.daemon = True
        cut.start()
        try:
            path = parts.path or "/"
            connection.request("GET", f"{path}?{parts.query}" if parts.query else path)
            answer = connection.getresponse()
            # What was cut ends like a short head.
            in_time = time.monotonic() - began < seconds
            return (answer.status, answer.getheader("Location")) if in_time else (0, None)
        finally:
            cut.cancel()
            connection.close()
    except (OSError, HTTPException, ValueError):
        return 0, None


def _cut(connection: HTTPConnection) -> None:
    with suppress(OSError, AttributeError):  # it may be closed, or not yet open
        connection.sock.shutdown(socket.SHUT_RDWR)
