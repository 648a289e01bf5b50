"""A small object store of the tests' own: what readers and writers ask in the protocols of S3, Google and Azure, and
faults.

It checks no signatures. What `moto` does better, the semantics of S3, is tested with that.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape, unescape

MODIFIED = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)


@dataclass(slots=True)
class Fault:
    """What goes wrong with the requests for an object or, by the name of a bucket alone, for its listings."""

    status: int = 200
    code: str = ""
    """The code of the error, as S3 writes it into the body."""
    location: str = ""
    """Where the answer redirects to."""
    sent: int | None = None
    """Bytes of the body that are sent before the connection ends; none = all of them."""
    stalls: bool = False
    """Whether the connection stays open then, silent, until the origin ends."""
    times: int | None = None
    """How many requests have the fault; none = each."""


@dataclass(slots=True)
class Origin:
    """The buckets of a running origin, and what it was asked."""

    url: str = ""
    buckets: dict[str, dict[str, bytes]] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    delay_s: float = 0.0
    """How long each answer takes to begin."""
    page_keys: int = 1000
    keeps_conditions: bool = True
    """Whether If-None-Match and If-Match are kept, or ignored as some servers do."""
    modified: dict[str, datetime] = field(default_factory=dict)
    """By `bucket/key`; of others MODIFIED."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    """The clock of the storage: what is written has its time."""
    before_answer: Callable[[str], None] = lambda _: None
    """Called with `PUT bucket/key` once that is written and before it is answered."""
    cut: Callable[[str], str] = lambda _: ""
    """Called with each request, as in `asked`: `before` refuses it, `after` does it and refuses it then, as for a
    sender whose network ends in between."""
    asked: list[str] = field(default_factory=list)
    """`GET bucket/key` for each request; of a listing `LIST bucket/prefix`."""
    at_once: int = 0
    most_at_once: int = 0
    keys: Callable[[dict[str, bytes], str, str, int], list[str]] = lambda objects, prefix, after, most: sorted(
        key for key in objects if key.startswith(prefix) and key > after
    )[:most]
    """The first keys of a bucket with a prefix and behind a key, up to a number."""
    ended: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def environment(self) -> dict[str, str]:
        """The variables with which s3:// leads here."""
        return s3_variables(self.url)

    def time_of(self, name: str) -> datetime:
        """When an object was changed last."""
        return self.modified.get(name, MODIFIED)

    def fault_of(self, name: str) -> Fault | None:
        """The fault of a request, which counts it."""
        with self.lock:
            fault = self.faults.get(name)
            if fault is None or fault.times == 0:
                return None
            if fault.times is not None:
                fault.times -= 1
            return fault

    @contextmanager
    def counted(self, request: str) -> Iterator[None]:
        """Note a request, and how many are being answered while it is."""
        with self.lock:
            self.asked.append(request)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            yield
        finally:
            with self.lock:
                self.at_once -= 1


def etag(content: bytes) -> str:
    """The ETag of an object, without its quotation marks."""
    return md5(content, usedforsecurity=False).hexdigest()


def s3_variables(url: str) -> dict[str, str]:
    """Return the variables with which s3:// leads to an address."""
    return {
        "AWS_ENDPOINT_URL": url, "AWS_ALLOW_HTTP": "true", "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "not a secret", "AWS_REGION": "us-east-1",
    }  # fmt: skip


@contextmanager
def running_origin(**settings: object) -> Iterator[Origin]:
    """Serve on a port of 127.0.0.1 until the block ends."""
    origin = Origin(**settings)  # type: ignore[arg-type]

    class Handler(_Handler):
        shared = origin

    server = _Server(("127.0.0.1", 0), Handler)
    origin.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield origin
    finally:
        origin.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that have left."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    shared: Origin

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        is_listing = not key and ("list-type" in query or query.get("comp") == "list")
        name = bucket if is_listing else f"{bucket}/{key}"
        said = f"LIST {bucket}/{query.get('prefix', '')}" if is_listing else f"{self.command} {name}"
        with self.shared.counted(said):
            self.shared.ended.wait(self.shared.delay_s)
            if self.shared.cut(said):
                self._error(403, "AccessDenied")
                return
            self._answer(name, query, self.shared.fault_of(name) or Fault(), is_listing=is_listing)

    do_HEAD = do_GET

    def do_PUT(self) -> None:
        name = unquote(urlsplit(self.path).path).lstrip("/")
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.shared.counted(f"PUT {name}"):
            fault = self.shared.fault_of(f"PUT {name}") or self.shared.fault_of("PUT") or Fault()
            cut = self.shared.cut(f"PUT {name}")
            if fault.status != 200 or cut == "before":
                self._error(fault.status if fault.status != 200 else 403, fault.code or "AccessDenied")
                return
            with self.shared.lock:
                status = self._put(name, content)
            if cut:
                self._error(403, "AccessDenied")
                return
            self.shared.before_answer(f"PUT {name}")
            if fault.sent is not None:
                self.close_connection = True
                return
            if status != 201:
                self._error(status, "PreconditionFailed" if status == 412 else "NoSuchBucket")
                return
            self._head_of(201, etag(content))

    def _put(self, name: str, content: bytes) -> int:
        bucket, _, key = name.partition("/")
        if (objects := self.shared.buckets.get(bucket)) is None:
            return 404
        must_be = self.headers.get("If-Match", "").strip('"')
        must_be_absent = (
            self.headers.get("If-None-Match") == "*" or self.headers.get("x-goog-if-generation-match") == "0"
        )
        if self.shared.keeps_conditions:
            if must_be_absent and key in objects:
                return 412
            if must_be and (key not in objects or etag(objects[key]) != must_be):
                return 412
        objects[key] = content
        self.shared.modified[name] = self.shared.now().replace(microsecond=0)
        return 201

    def do_DELETE(self) -> None:
        self._delete([unquote(urlsplit(self.path).path).lstrip("/")])
        self._head_of(204, "")

    def do_POST(self) -> None:
        """Delete several objects, as S3 and Azure do."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if "comp=batch" in self.path:
            self._delete_batch(re.findall(r"^DELETE /?(\S+) HTTP/1.1", body, re.MULTILINE))
            return
        bucket = unquote(urlsplit(self.path).path).strip("/")
        keys = [unescape(key) for key in re.findall(r"<Key>(.*?)</Key>", body, re.DOTALL)]
        self._delete([f"{bucket}/{key}" for key in keys])
        answer = "<?xml version='1.0'?><DeleteResult>" + "".join(
            f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys
        )
        self._send(f"{answer}</DeleteResult>".encode(), Fault(), "application/xml")

    def _delete_batch(self, paths: list[str]) -> None:
        self._delete([unquote(urlsplit(path).path) for path in paths])
        parts = (
            f"--parts\r\nContent-Type: application/http\r\nContent-ID: {number}\r\n\r\nHTTP/1.1 202 Accepted\r\n"
            "x-ms-version: 2019-12-12\r\n\r\n"
            for number, _ in enumerate(paths)
        )
        self._send(f"{''.join(parts)}--parts--\r\n".encode(), Fault(), "multipart/mixed; boundary=parts")

    def _delete(self, names: list[str]) -> None:
        for name in names:
            bucket, _, key = name.partition("/")
            with self.shared.counted(f"DELETE {name}"), self.shared.lock:
                self.shared.buckets.get(bucket, {}).pop(key, None)

    def _head_of(self, status: int, tag: str) -> None:
        self.send_response(status)
        if tag:
            self.send_header("ETag", f'"{tag}"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer(self, name: str, query: dict[str, str], fault: Fault, *, is_listing: bool) -> None:
        bucket, _, key = name.partition("/")
        objects = self.shared.buckets.get(bucket)
        if fault.status != 200:
            self._error(fault.status, fault.code, fault.location)
        elif objects is None:
            self._error(404, "NoSuchBucket")
        elif is_listing:
            self._send(_listing(bucket, self.shared, query), fault, "application/xml")
        elif key not in objects:
            self._error(404, "NoSuchKey")
        elif not self._fits(etag(objects[key])):
            self._error(412, "PreconditionFailed")
        else:
            self._send(objects[key], fault, "application/octet-stream", etag(objects[key]), self.shared.time_of(name))

    def _fits(self, tag: str) -> bool:
        """Whether an object is the one that a read asks for."""
        return not self.shared.keeps_conditions or self.headers.get("If-Match", tag).strip('"') == tag

    def _error(self, status: int, code: str, location: str = "") -> None:
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>made by the test</Message></Error>".encode()
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _send(self, body: bytes, fault: Fault, kind: str, tag: str = "", modified: datetime = MODIFIED) -> None:
        first, last = self._range(len(body))
        self.send_response(200 if first is None else 206)
        if first is not None:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(body)}")
            body = body[first : last + 1]
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", format_datetime(modified, usegmt=True))
        if tag:
            self.send_header("ETag", f'"{tag}"')
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(body if fault.sent is None else body[: fault.sent])
        if fault.stalls:
            self.shared.ended.wait()
        if fault.sent is not None:
            self.close_connection = True

    def _range(self, size: int) -> tuple[int | None, int]:
        asked = self.headers.get("Range", "")
        if not asked or not size:
            return None, size - 1
        first, _, last = asked.removeprefix("bytes=").partition("-")
        return int(first), min(int(last or size), size - 1)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in http.server
        """Say nothing on stderr."""


def _listing(bucket: str, origin: Origin, query: dict[str, str]) -> bytes:
    """A page of keys in the form of S3, which Google has too, or of Azure."""
    objects = origin.buckets[bucket]
    is_azure = query.get("comp") == "list"
    prefix, after = query.get("prefix", ""), query.get("marker" if is_azure else "continuation-token", "")
    keys = origin.keys(objects, prefix, max(after, query.get("start-after", "")), origin.page_keys + 1)
    page, is_cut = keys[: origin.page_keys], len(keys) > origin.page_keys
    following = page[-1] if is_cut else ""
    times = {key: origin.time_of(f"{bucket}/{key}") for key in page}
    if is_azure:
        blobs = "".join(
            f"<Blob><Name>{escape(key)}</Name><Properties><Last-Modified>{format_datetime(times[key], usegmt=True)}"
            f"</Last-Modified><Content-Length>{len(objects[key])}</Content-Length><Content-Type>a/b</Content-Type>"
            f"<Etag>{etag(objects[key])}</Etag></Properties></Blob>"
            for key in page
        )
        return (
            f"<?xml version='1.0' encoding='utf-8'?><EnumerationResults><Blobs>{blobs}</Blobs>"
            f"<NextMarker>{escape(following)}</NextMarker></EnumerationResults>"
        ).encode()
    contents = "".join(
        f"<Contents><Key>{escape(key)}</Key><LastModified>{times[key]:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
        f"<ETag>&quot;{etag(objects[key])}&quot;</ETag><Size>{len(objects[key])}</Size></Contents>"
        for key in page
    )
    token = f"<NextContinuationToken>{escape(following)}</NextContinuationToken>" if is_cut else ""
    return (
        f"<?xml version='1.0' encoding='utf-8'?><ListBucketResult><IsTruncated>{str(is_cut).lower()}</IsTruncated>"
        f"{contents}{token}</ListBucketResult>"
    ).encode()


def keep_serving(origin: Origin) -> None:
    """Wait until the process is ended, for an origin that is a process of its own."""
    while not origin.ended.wait(1):
        time.sleep(0)
