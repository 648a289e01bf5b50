"""Which format /metrics is answered in: any Accept header gets one that exists, and the body is in it."""

import gzip
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from facemon.server.exposition_format import accepts_gzip, choose_exposition
from tests.server.exporters import exporter
from tests.server.raw_requests import connected, read_answer, request
from tests.server.served_api import Api

PLAIN, OPENMETRICS = "text/plain; version=0.0.4", "application/openmetrics-text; version=1.0.0"
BAD_VERSION = "application/openmetrics-text;version=zz"
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


def registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    Counter("asked", "How often.", ["who"], registry=registry).labels('a "quoted"\nname').inc(3)
    Gauge("sjöar.antal", "A name that is not an old one.", registry=registry).set(7)
    Histogram("took_seconds", "How long.", registry=registry).observe(0.3)
    return registry


REGISTRY = registry()
TYPES = st.sampled_from(
    ["application/openmetrics-text", "text/plain", "*/*", "text/*", "Text/Plain", "application/json", "", "text"]
)
VERSIONS = st.sampled_from(["1.0.0", "0.0.4", "0.0.1", "1", "2.0.0", "999.0.0", "zz", "1.0.0.0", "-1", "", '"1.0.0"'])
ESCAPINGS = st.sampled_from(["allow-utf-8", "underscores", "dots", "values", "zz", "values\r\nX-Header: y", ""])
WEIGHTS = st.sampled_from(["0", "0.000", "1", "0.7", "0.33", "2", "-1", "nan", "inf", "", "x", "1e-3"])


@st.composite
def ranges(draw: st.DrawFn) -> str:
    parameters = draw(
        st.lists(
            st.one_of(
                VERSIONS.map("version={}".format),
                ESCAPINGS.map("escaping={}".format),
                WEIGHTS.map("q={}".format),
                st.text(max_size=8),
            ),
            max_size=4,
        )
    )
    return ";".join([draw(TYPES), *parameters])


HEADERS = st.one_of(st.lists(ranges(), max_size=5).map(",".join), st.text(max_size=60))


@given(HEADERS)
@example(BAD_VERSION)
@example(PROMETHEUS_3)
@example("application/openmetrics-text; version=999.0.0")
@example("application/openmetrics-text;version=1.0.0;escaping=dots")
def test_the_body_is_what_its_content_type_says(accept: str) -> None:
    exposition = choose_exposition(accept)
    assert exposition.content_type.isascii()
    assert exposition.content_type.isprintable()
    kind, version, *_ = exposition.content_type.split("; ")
    assert (kind, version) in {
        ("text/plain", "version=0.0.4"),
        ("text/plain", "version=1.0.0"),
        ("application/openmetrics-text", "version=1.0.0"),
    }
    text = exposition.encode(REGISTRY).decode()
    read = read_openmetrics if kind == "application/openmetrics-text" else read_text
    samples = {sample.name: sample.value for family in read(text) for sample in family.samples}
    assert text.endswith("# EOF\n") == (kind == "application/openmetrics-text")
    assert 7 in samples.values()
    assert samples.get("asked_total", samples.get("asked__total")) == 3  # the escaping `dots` doubles underscores


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", PLAIN),
        ("*/*", PLAIN),
        ("application/json", PLAIN),
        (BAD_VERSION, PLAIN),
        ("application/openmetrics-text; version=2.0.0", PLAIN),
        ("application/openmetrics-text", OPENMETRICS),
        ('Application/OpenMetrics-Text; Version="1.0.0"', OPENMETRICS),
        (PROMETHEUS_3, OPENMETRICS + "; charset=utf-8; escaping=allow-utf-8"),
        ("text/plain;version=0.0.4;q=0.3,application/openmetrics-text;version=1.0.0;q=0.6", OPENMETRICS),
        ("application/openmetrics-text;q=0, text/plain;version=1.0.0", "text/plain; version=1.0.0"),
        ("application/openmetrics-text;q=two", PLAIN),
        ("text/plain;version=0.0.4,application/openmetrics-text", PLAIN),
    ],
)
def test_what_is_preferred_is_chosen(accept: str, expected: str) -> None:
    assert choose_exposition(accept).content_type.startswith(expected)


def test_gzip_is_used_where_it_is_allowed() -> None:
    assert all(map(accepts_gzip, ("gzip", "deflate, GZIP;q=0.5", "gzip;q=1.0, identity")))
    assert not any(map(accepts_gzip, ("", "identity", "gzip;q=0", "x-gzip", "gzip;q=zz")))


ODD = (BAD_VERSION, "text/plain;version=", ";;;,,=,q=", "application/openmetrics-text;version=1.0.0;escaping=\xff")


def test_the_api_answers_any_accept_header(api: Api) -> None:
    for accept in ODD:
        with connected(api.port) as client:
            client.sendall(request("GET", "/metrics", f"Accept: {accept}"))
            status, body = read_answer(client)
            assert (status, b"facemon_source_up" in body) == (200, True), accept
    assert api.reported == []


def test_the_exporter_answers_any_accept_header(tmp_path: Path) -> None:
    with exporter(tmp_path) as running:
        for accept in ODD:
            answer = running.get("/metrics", Accept=accept)
            assert (answer.status, "facemon_source_up" in answer.text) == (200, True), accept
        with connected(running.port) as client:
            client.sendall(request("GET", "/metrics", f"Accept: {BAD_VERSION}", "Accept-Encoding: gzip;q=0.5"))
            status, body = read_answer(client)
            assert (status, b"facemon_source_up" in gzip.decompress(body)) == (200, True)
    assert not any("Traceback" in line for line in running.said)
