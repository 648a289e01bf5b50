"""Talking to a Pushgateway over real sockets: addresses, refusals, certificates, and servers that dawdle."""

import base64
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, push_to_gateway
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from facemon.errors import FacemonError
from facemon.metrics.pushgateway import Pushgateway, PushGroup
from tests.metrics.gateways import dawdling_gateway, gateway, write_certificate
from tests.servers import free_port

TEXT = "drift_score 0.25\n"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def reach(url: str, **options: object) -> Pushgateway:
    return Pushgateway(PushGroup(url, "facemon"), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("job", "grouping", "path"),
    [
        ("facemon", (), "/metrics/job/facemon"),
        ("facemon", (("instance", "a.b-1"), ("_z", "1")), "/metrics/job/facemon/instance/a.b-1/_z/1"),
        ("..", (), "/metrics/job@base64/Li4="),
        (".", (("instance", ""),), "/metrics/job@base64/Lg==/instance@base64/="),
        ("a/b", (("place", "hall 1?"),), "/metrics/job@base64/YS9i/place@base64/aGFsbCAxPw=="),
        ("größe", (), "/metrics/job@base64/Z3LDtsOfZQ=="),
    ],
)
def test_addresses(job: str, grouping: tuple[tuple[str, str], ...], path: str) -> None:
    with gateway() as server:
        pushgateway = Pushgateway(PushGroup(f"{server.url}/below", job, grouping))
        pushgateway.replace(TEXT)
        pushgateway.delete()
    put, deleted = server.asked
    assert (put.method, put.path, put.body) == ("PUT", f"/below{path}", TEXT)
    assert put.headers["Content-Type"] == CONTENT_TYPE_PLAIN_0_0_4
    assert (deleted.method, deleted.path, deleted.body) == ("DELETE", f"/below{path}", "")
    assert "Authorization" not in put.headers


def group_at(url: str) -> dict[str, str]:
    """The labels of the group that a Pushgateway finds in an address."""
    _, _, *parts = urlsplit(url).path.split("/")
    group = {}
    for name, value in zip(parts[::2], parts[1::2], strict=True):
        label, _, is_encoded = name.partition("@")
        group[label] = base64.urlsafe_b64decode(value).decode() if is_encoded else unquote(value)
    return group


texts = st.sampled_from([".", "..", "a/b", "a b", "a+b", "%2F"]) | st.text(st.characters(codec="utf-8"), max_size=8)


@given(texts, st.dictionaries(st.sampled_from(["instance", "site", "_z"]), texts))
def test_a_group_is_that_of_prometheus_client(job: str, grouping: dict[str, str]) -> None:
    """Its address holds no value that a server takes for a step up or down, such as `..`; prometheus_client's may."""
    asked = list[dict[str, Any]]()
    push_to_gateway("http://h", job, CollectorRegistry(), grouping, handler=lambda **given: lambda: asked.append(given))
    ours = PushGroup("http://h", job, tuple(grouping.items())).address
    assert group_at(ours) == group_at(asked[0]["url"]) == {"job": job} | grouping
    assert not {".", ".."} & set(ours.split("/"))


def test_a_refusal_is_told_with_its_reason() -> None:
    with (
        gateway(status=400, text="inconsistent \x1b[31mmetrics\nmore") as server,
        pytest.raises(FacemonError, match=r"did not take the metrics: 400 Bad Request inconsistent \?\[31mmetrics$"),
    ):
        reach(server.url).replace(TEXT)
    with (
        gateway(status=405) as server,
        pytest.raises(FacemonError, match=r"did not delete the group: 405 Method Not Allowed$"),
    ):
        reach(server.url).delete()


def test_who_pushes() -> None:
    with gateway(authorization="Bearer secret") as server:
        reach(server.url, authorization="Bearer secret").replace(TEXT)
        for wrong in (None, "Bearer other"):
            with pytest.raises(FacemonError, match="401 Unauthorized") as refused:
                reach(server.url, authorization=wrong).replace(TEXT)
            assert "--password-file" in (refused.value.hint or "")
            assert "other" not in str(refused.value)
    assert len(server.asked) == 3


def test_a_secret_is_not_shown_by_accident() -> None:
    assert "secret" not in repr(reach("http://127.0.0.1:1", authorization="Bearer secret"))


@pytest.mark.parametrize(
    ("url", "authorization", "tells"),
    [
        ("http://gateway.example:9091", "Basic x", True),
        ("http://10.0.0.1", "Bearer x", True),
        ("https://gateway.example", "Basic x", False),
        ("http://gateway.example", None, False),
        ("http://127.0.0.1:9091", "Basic x", False),
        ("http://[::1]:9091", "Basic x", False),
        ("http://localhost:9091", "Basic x", False),
    ],
)
def test_a_secret_in_the_open(url: str, authorization: str | None, tells: bool) -> None:
    assert reach(url, authorization=authorization).tells_its_secret == tells


def test_a_secret_does_not_follow_a_redirect() -> None:
    with gateway() as elsewhere, gateway(status=307, location=f"{elsewhere.url}/metrics/job/x") as server:
        pushgateway = reach(server.url, authorization="Bearer secret")
        with pytest.raises(FacemonError, match="307 Temporary Redirect"):
            pushgateway.replace(TEXT)
        with pytest.raises(FacemonError, match="307 Temporary Redirect"):
            pushgateway.delete()
    assert elsewhere.asked == []


def test_nobody_listens() -> None:
    with pytest.raises(FacemonError, match=r"did not take the metrics: \[Errno 111\] Connection refused"):
        reach(f"http://127.0.0.1:{free_port()}").replace(TEXT)


@pytest.mark.parametrize("drips", [False, True])
def test_a_server_that_does_not_come_to_an_end(drips: bool) -> None:
    began = time.monotonic()
    with (
        dawdling_gateway(drips=drips) as url,
        pytest.raises(FacemonError, match=r"did not take the metrics within 0\.5 s"),
    ):
        reach(url, timeout_s=0.5).replace(TEXT)
    assert time.monotonic() - began >= 0.5


def test_a_server_that_speaks_something_else() -> None:
    with gateway(certificate=None) as server, pytest.raises(FacemonError, match="did not take the metrics"):
        reach(server.url.replace("http:", "https:")).replace(TEXT)
    assert server.asked == []


def test_certificates(tmp_path: Path) -> None:
    certificate = write_certificate(tmp_path)
    other = write_certificate(tmp_path, "elsewhere.example")
    with gateway(certificate=certificate) as server:
        reach(server.url, ca_file=certificate).replace(TEXT)
        reach(server.url, ca_file=certificate).delete()
        for trusted in (None, other):
            with pytest.raises(FacemonError, match="self-signed certificate") as refused:
                reach(server.url, ca_file=trusted).replace(TEXT)
            assert "--ca-file" in (refused.value.hint or "")
    assert [asked.method for asked in server.asked] == ["PUT", "DELETE"]
    with gateway(certificate=other) as server:
        with pytest.raises(FacemonError, match=r"not valid for '127\.0\.0\.1'"):
            reach(server.url, ca_file=other).replace(TEXT)
        assert server.asked == []
