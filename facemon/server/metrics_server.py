"""What `facemon serve-metrics` answers: /metrics, /health, /ready, and a page for people at /."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from urllib.parse import parse_qs

from prometheus_client import CollectorRegistry

from facemon.daemon_threads import DaemonThreads
from facemon.server.asgi import Receive, Scope, Send, header, send_response
from facemon.server.exposition_format import NamedFamilies, accepts_gzip, accepts_html, choose_exposition, compressed
from facemon.server.foreign_pages import AllowedHosts
from facemon.server.guarded_connection import ConnectionLimits
from facemon.server.http_server import HttpServer
from facemon.server.page_files import FILES, content_policy, page_files, page_headers
from facemon.system_errors import explained

_MAX_WORKERS = 16
"""Requests that are worked on at once, a thread for each; further requests get 503 with Retry-After."""
_GRACE_SECONDS = 5.0
"""How long a stop waits for answers that are on their way."""
_LIMITS = ConnectionLimits(connections=128, head_bytes=16 * 2**10, stalled_seconds=10.0)
_PATHS = ("/metrics", "/health", "/ready")
_PAGE = "/"
_FILES = {FILES + name: name for name in ("style.css", "icon.svg")}
_PAGE_HEADERS = page_headers(content_policy(style_src="'self'", img_src="'self'"))
StatusPage = Callable[[bool], str]
"""Makes the page of the store's state; with True one that the browser loads again each minute."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer in one piece."""

    status: HTTPStatus
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    async def send(self, send: Send) -> None:
        """Send it."""
        headers = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        await send_response(send, self.status.value, self.body, *headers)


def metrics_server(
    registry: Callable[[], CollectorRegistry],
    why_not_ready: Callable[[], str | None],
    hosts: AllowedHosts,
    warn: Callable[[str], None],
    page: Callable[[], StatusPage | None] = lambda: None,
) -> HttpServer:
    """The exporter's server: `registry` gives what /metrics shows now, `why_not_ready` None when the store can be read.

    /metrics and the page are for requests to one of `hosts`: a page whose name was made to resolve to here may not
    read them. Browsers get the page that `page` gives now at /, and 404 while it gives none, as programs do.

    /health is answered without a thread or the store: it tells that the exporter lives, whatever else is stuck.

    `warn` gets the reason why a request ended with 500.
    """
    workers = _Workers()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        try:
            made = _route(scope, registry, why_not_ready, hosts, page())
            await (made if isinstance(made, _Answer) else await workers.answer(made)).send(send)
        except Exception as error:
            known = explained(error)
            reason = f"{known.message}: {known.hint}" if known else f"{type(error).__name__}: {error}"
            warn(f"a request of {scope['path'][:100]!a} failed: {reason}")
            raise

    return HttpServer(application, limits=_LIMITS, patience=_GRACE_SECONDS, refused=lambda _: None)


def _route(
    scope: Scope,
    registry: Callable[[], CollectorRegistry],
    why_not_ready: Callable[[], str | None],
    hosts: AllowedHosts,
    page: StatusPage | None,
) -> _Answer | Callable[[], _Answer]:
    """The answer where it is at hand, else the work that makes it, which is done in another thread."""
    path = scope["path"]
    file = None if page is None else _FILES.get(path)
    shown = page if path == _PAGE and accepts_html(header(scope, b"accept")) else None
    if path not in _PATHS and file is None and shown is None:
        return _line(HTTPStatus.NOT_FOUND, "there are /metrics, /health and /ready")
    if scope["method"] not in ("GET", "HEAD"):
        return _line(HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD", Allow="GET, HEAD")
    if file is not None:
        return _Answer(*page_files()[file].answer(header(scope, b"if-none-match")))
    match path:
        case "/health":
            return _line(HTTPStatus.OK, "ok")
        case "/ready":
            return partial(_readiness, why_not_ready)
    if not hosts.allows(host := header(scope, b"host")):
        return _line(HTTPStatus.FORBIDDEN, f"{host[:100]!a} is not a host of this exporter")
    return partial(_scraped, registry(), scope) if shown is None else partial(_shown, shown, scope)


def _readiness(why_not_ready: Callable[[], str | None]) -> _Answer:
    reason = why_not_ready()
    return _line(HTTPStatus.SERVICE_UNAVAILABLE if reason else HTTPStatus.OK, reason or "ready")


def _shown(page: StatusPage, scope: Scope) -> _Answer:
    refreshes = "refresh" in parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return _Answer(HTTPStatus.OK, page(refreshes).encode(), _PAGE_HEADERS)


def _scraped(registry: CollectorRegistry, scope: Scope) -> _Answer:
    """All metrics, or those that `?name[]=` names, in the format and the compression that the scraper asks for."""
    names = parse_qs(scope["query_string"].decode("latin-1")).get("name[]")
    exposition = choose_exposition(header(scope, b"accept"))
    body = exposition.encode(NamedFamilies(registry, names) if names else registry)
    headers = {"Content-Type": exposition.content_type, "Vary": "Accept, Accept-Encoding"}
    if accepts_gzip(header(scope, b"accept-encoding")):
        return _Answer(HTTPStatus.OK, compressed(body), headers | {"Content-Encoding": "gzip"})
    return _Answer(HTTPStatus.OK, body, headers)


def _line(status: HTTPStatus, text: str, **headers: str) -> _Answer:
    """A line of plain text; header names are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return _Answer(status, f"{text}\n".encode(), {"Content-Type": "text/plain; charset=utf-8", **named})


class _Workers:
    """Threads that make answers, not of a pool: Python would wait at its end for one that a collector holds up."""

    def __init__(self) -> None:
        self._busy = 0
        self._threads = DaemonThreads("answer")

    async def answer(self, made: Callable[[], _Answer]) -> _Answer:
        if self._busy >= _MAX_WORKERS:
            return _line(HTTPStatus.SERVICE_UNAVAILABLE, "too many scrapes at once", Retry_After="1")
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[_Answer] = loop.create_future()

        def deliver(answer: _Answer) -> None:
            self._busy -= 1
            if not answered.done():
                answered.set_result(answer)

        def work() -> None:
            answer = _line(HTTPStatus.INTERNAL_SERVER_ERROR, "the exporter failed")
            try:
                answer = made()
            finally:  # Python prints the exception; the client gets 500
                with suppress(RuntimeError):  # the loop has ended, and with it the wait for the answer
                    loop.call_soon_threadsafe(deliver, answer)

        self._threads.run(work)
        # Not before: a thread that cannot start would keep its place forever.
        self._busy += 1
        return await answered
