"""Requests that no program would send: whole ones of odd parts, and some bytes of them changed.

`send_odd_requests` is for tests, and with larger numbers for proofs: the same number gives the same requests.
"""

import select
import socket
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.server.raw_requests import BOUNDARY, connected, form
from tests.server.served_api import picture

ANSWER_WITHIN_S = 0.05
"""A request that is not complete gets no answer; one that is has mostly got it by then, and is counted in any case."""
IMAGE = picture()
METHODS = st.sampled_from(
    ["POST", "POST", "POST", "GET", "HEAD", "PUT", "OPTIONS", "TRACE", "CONNECT", "post", "PRI", ""]
)
ODD_TARGETS = (
    "/predict", "/predict?source=gate", "/predict?source=%ff", "/predict?source=%", "/predict?source=a&source=b",
    "/predict?source=" + "%00" * 9, "/predict?" + "a=b&" * 2000, "/metrics", "/metrics?name[]=%zz", "/docs",
    "/ready", "/health", "/openapi.json", "//", "/../../etc/passwd", "/%2e%2e/", "*", "",
    "http://other.example/predict",
    "http://[::1", "/predict#x", "/predict;a", "/" + "x" * 9000,
)  # fmt: skip
ODD_HEADERS = (
    "Host: localhost", "Host: evil.example", "Host: ", "Host: a b", "Host: [::1", "Host: localhost:99999999",
    "Origin: null", "Origin: http://localhost", "Origin: http://[", "Sec-Fetch-Site: cross-site",
    "Content-Length: 0", "Content-Length: -1", "Content-Length: 99999999999999999999", "Content-Length: 1_0",
    "Content-Length: +5", "Content-Length: 5, 5", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: identity", "Content-Type: image/png", "Content-Type: ;;;",
    "Content-Type: multipart/form-data",
    f"Content-Type: multipart/form-data; boundary={BOUNDARY}", "Content-Type: multipart/form-data; boundary=\"",
    "Content-Type: multipart/form-data; boundary*=utf-8''%ff", "Content-Type: image/png; charset=\xff",
    "Expect: 100-continue", "Expect: 200-ok", "Connection: close", "Connection: upgrade", "Upgrade: websocket",
    "Upgrade: h2c", "Accept: application/openmetrics-text;version=zz", "Accept: \xff;q=nan",
    "Accept-Encoding: gzip",
    "Authorization: Bearer", "Authorization: Bearer \xff", "X-Forwarded-For: \xff, ::1, 1.2.3.4:x",
    "X-Request-ID: " + "x" * 65, "X-Request-ID: a\tb", "Range: bytes=0-", "If-None-Match: *", ": nothing",
    "no colon",
    " folded", "X-Long: " + "x" * 40_000,
)  # fmt: skip
TARGETS = st.sampled_from(ODD_TARGETS) | st.text(st.characters(codec="latin-1"), max_size=12).map(
    "/predict?source={}".format
)
HEADERS = st.sampled_from(ODD_HEADERS) | st.text(st.characters(codec="latin-1"), max_size=20)
VERSIONS = st.sampled_from(["HTTP/1.1"] * 6 + ["HTTP/1.0", "HTTP/2.0", "HTTP/9.9", "http/1.1", ""])
PARTS = st.tuples(
    st.text(max_size=5), st.none() | st.text(max_size=9), st.sampled_from([b"", IMAGE, IMAGE[:40], b"\xff" * 9])
)
BODIES = st.one_of(
    st.just(b""),
    st.sampled_from(
        [IMAGE, IMAGE[:30], IMAGE + IMAGE, b"\x00" * 100, b"GIF89a", b"5\r\nhello\r\n0\r\n\r\n", b"zz\r\n"]
    ),
    st.binary(max_size=60),
    st.lists(PARTS, max_size=3).map(lambda parts: form(*parts)),
)
CHANGES = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 2), st.binary(min_size=1, max_size=3)), max_size=2)


ODDITIES = st.sets(st.sampled_from(["method", "target", "version", "headers", "length", "body", "bytes"]), max_size=3)


@st.composite
def odd_requests(draw: st.DrawFn, usual: tuple[str, str]) -> bytes:
    """The bytes of one request, of which few parts are other than usual, so that it gets far."""
    odd = draw(ODDITIES)
    method = draw(METHODS) if "method" in odd else usual[0]
    target = draw(TARGETS) if "target" in odd else usual[1]
    version = draw(VERSIONS) if "version" in odd else "HTTP/1.1"
    body = draw(BODIES) if "body" in odd else IMAGE
    headers = ["Host: localhost", *(draw(st.lists(HEADERS, max_size=3)) if "headers" in odd else ())]
    if "length" not in odd:
        headers.append(f"Content-Length: {len(body)}")
    if body.startswith(b"--"):
        headers.append(f"Content-Type: multipart/form-data; boundary={BOUNDARY}")
    sent = bytearray(_request(method, target, version, headers, body))
    for place, cut, put in draw(CHANGES) if "bytes" in odd else ():
        sent[place : place + cut] = put
    return bytes(sent)


def _request(method: str, target: str, version: str, headers: Sequence[str], body: bytes) -> bytes:
    return "\r\n".join([f"{method} {target} {version}", *headers, "", ""]).encode("latin-1", "replace") + body


def send_odd_requests(port: int, count: int, usual: tuple[str, str] = ("POST", "/predict?source=gate")) -> Counter[int]:
    """Send each oddity alone to a server of this machine, then so many at random; how many got which code, 0 for none.

    `usual` is the method and the target of most of them.
    """
    codes = Counter[int]()

    @settings(
        max_examples=count, derandomize=True, database=None, phases=[Phase.generate], deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(odd_requests(usual))
    def send_random(sent: bytes) -> None:
        send(sent)

    def send(sent: bytes) -> None:
        with connected(port) as connection:
            answer = _said_to(connection, sent)
        codes[int(answer[9:12]) if answer.startswith(b"HTTP/1.") else 0] += 1

    for target in ODD_TARGETS:
        send(_request(usual[0], target, "HTTP/1.1", ["Host: localhost", f"Content-Length: {len(IMAGE)}"], IMAGE))
    for header in ODD_HEADERS:
        send(_request(*usual, "HTTP/1.1", ["Host: localhost", header, f"Content-Length: {len(IMAGE)}"], IMAGE))
    send_random()
    return codes


def _said_to(connection: socket.socket, sent: bytes) -> bytes:
    answer = b""
    with suppress(ConnectionError):
        connection.sendall(sent)
        if select.select([connection], [], [], ANSWER_WITHIN_S)[0]:
            answer = connection.recv(65536)
            if answer.startswith(b"HTTP/1.1 100 ") and select.select([connection], [], [], ANSWER_WITHIN_S)[0]:
                answer = answer.partition(b"\r\n\r\n")[2] or connection.recv(65536)
    return answer
