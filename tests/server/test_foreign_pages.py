"""What a browser sends for a page of another site, and for one whose name was made to resolve to the server."""

from collections.abc import Callable
from pathlib import Path

import pytest

from facemon.config.document import Config
from facemon.config.loader import parse_config
from facemon.config.quantities import parse_listen
from facemon.server.foreign_pages import AllowedHosts, hosts_of_api, hosts_of_exporter
from tests.server.exporters import exporter
from tests.server.raw_requests import FORM, connected, form, read_answer, request
from tests.server.served_api import Api, picture, served

IMAGE = picture()
EVIL = "http://evil.example"


def posted(api: Api, **headers: str) -> tuple[int, str]:
    status, text, _ = api.ask(
        "POST", "/predict", IMAGE, {name.replace("_", "-"): value for name, value in headers.items()}
    )
    return status, text


@pytest.fixture
def loopback(api: Api) -> tuple[Api, str]:
    return api, f"127.0.0.1:{api.port}"


FOREIGN: dict[str, Callable[[str], dict[str, str]]] = {
    "another site": lambda _: {"Origin": EVIL},
    "another port": lambda _: {"Origin": "http://127.0.0.1:1"},
    "another name of this machine": lambda host: {"Origin": f"http://localhost:{host.split(':')[1]}"},
    "the default port": lambda _: {"Origin": "http://127.0.0.1"},
    "a sandbox or a file": lambda _: {"Origin": "null"},
    "no origin at all": lambda _: {"Origin": ""},
    "a name that begins alike": lambda host: {"Origin": f"http://{host}.evil.example"},
    "a user that looks alike": lambda host: {"Origin": f"http://{host}@evil.example"},
    "an extension": lambda _: {"Origin": "chrome-extension://abcdef"},
    "fetch metadata alone": lambda _: {"Sec-Fetch-Site": "cross-site"},
    "a sibling's fetch metadata": lambda _: {"Sec-Fetch-Site": "same-site"},
    "rebinding": lambda host: {
        "Host": f"evil.example:{host.split(':')[1]}",
        "Origin": f"http://evil.example:{host.split(':')[1]}",
    },
    "rebinding, no origin": lambda _: {"Host": "evil.example"},
    "rebinding, in capitals": lambda _: {"Host": "EVIL.EXAMPLE."},
    "rebinding below localhost": lambda _: {"Host": "localhost.evil.example"},
    "no host that there is": lambda _: {"Host": "a b"},
    "a host with a user": lambda _: {"Host": "localhost@evil.example"},
}


@pytest.mark.parametrize("who", FOREIGN)
def test_nothing_of_a_foreign_page_is_predicted_or_logged(loopback: tuple[Api, str], who: str) -> None:
    api, host = loopback
    headers = FOREIGN[who](host)
    assert api.refusal("POST", "/predict", IMAGE, headers) == (403, "forbidden")
    assert api.refusal("POST", "/predict", form(("a", "a.png", IMAGE)), FORM | headers) == (403, "forbidden")
    assert api.logged == []
    assert api.requests("/predict") | api.requests("unmatched") == {"403": 2}
    assert "access-control-allow-origin" not in api.ask("OPTIONS", "/predict", None, headers)[2]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "localhost:9"},
        {"Host": "api:8000"},
        {"Host": "host.docker.internal:8000"},
        {"Host": "192.0.2.7"},
        {"Host": "[::1]:8000"},
        {"Host": ""},
        {"Origin": "http://localhost:9", "Host": "LOCALHOST:9", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://api", "Host": "api:443"},
        {"Sec-Fetch-Site": "none"},
        {"User-Agent": "curl/8", "Referer": EVIL},
    ],
    ids=str,
)
def test_programs_and_the_server_s_own_pages_go_on_as_before(api: Api, headers: dict[str, str]) -> None:
    assert api.ask("POST", "/predict", IMAGE, headers)[0] == 200
    assert api.ask("GET", "/metrics", None, headers)[0] == 200


def test_a_request_without_a_host_is_no_browser_s(api: Api) -> None:
    with connected(api.port) as client:
        client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert read_answer(client)[0] == 200


def test_a_second_host_header_hides_nothing(api: Api) -> None:
    with connected(api.port) as client:
        client.sendall(request("GET", "/metrics", "Host: evil.example") + request("GET", "/health"))
        assert read_answer(client)[0] in (400, 403)


def test_a_link_is_followed_and_health_told_under_any_name(api: Api) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert api.ask("GET", "/docs", None, link)[0] == 200
    for path in ("/health", "/ready"):
        assert api.ask("GET", path, None, {"Host": "faces.example.org"})[0] == 200
    assert api.ask("GET", "/metrics", None, {"Host": "faces.example.org"})[0] == 403
    assert api.ask("GET", "/metrics", None, {"Origin": EVIL})[0] == 403


def test_names_that_are_listed_are_the_server_s(tmp_path: Path) -> None:
    behind_a_proxy = {"Host": "127.0.0.1:8000", "Origin": "https://faces.example.org", "Sec-Fetch-Site": "same-origin"}
    with served(tmp_path, allowed_hosts=["Faces.example.org", ".example.net"]) as api:
        for headers in (
            behind_a_proxy,
            {"Host": "faces.example.org"},
            {"Host": "a.b.example.net:8000", "Origin": "http://c.example.net"},
        ):
            assert api.ask("POST", "/predict", IMAGE, headers)[0] == 200
        for headers in ({"Host": "example.net"}, {"Host": "evil-example.net"}, {"Host": "x.faces.example.org"}):
            assert api.ask("POST", "/predict", IMAGE, headers)[0] == 403
    with served(tmp_path, allowed_hosts=["*"]) as api:
        assert api.ask("POST", "/predict", IMAGE, {"Host": "anything.example"})[0] == 200
        assert api.ask("POST", "/predict", IMAGE, {"Host": "anything.example", "Origin": EVIL})[0] == 403


def config(text: str) -> Config:
    return parse_config(text, name="facemon.yaml", directory=Path("/srv"))


@pytest.mark.parametrize(
    ("text", "listen", "api", "exporter"),
    [
        ("{}", "127.0.0.1:0", False, False),
        ("{}", "0.0.0.0:0", False, True),
        ("{}", "faces.example.org:0", True, True),
        ("prometheus: {targets: {api: ['faces.example.org:8000']}}", "127.0.0.1:0", True, False),
        ("prometheus: {targets: {exporter: ['faces.example.org:8001']}}", "127.0.0.1:0", False, True),
        ("api: {allowed_hosts: [faces.example.org]}", "127.0.0.1:0", True, False),
    ],
)
def test_which_names_a_configuration_allows(text: str, listen: str, api: bool, exporter: bool) -> None:
    address, host = parse_listen(listen), "faces.example.org:80"
    assert AllowedHosts(hosts_of_api(config(text), address)).allows(host) == api
    assert AllowedHosts(hosts_of_exporter(config(text), address)).allows(host) == exporter


@pytest.mark.parametrize(
    "host", ["", "x", "127.1", "[::ffff:1.2.3.4]:1", "a.local", "b.c.svc.cluster.local.", "printer.home.arpa"]
)
def test_private_names_need_no_list(host: str) -> None:
    assert AllowedHosts().allows(host)


def test_a_page_may_not_read_the_exporter_by_rebinding(tmp_path: Path) -> None:
    with exporter(tmp_path) as running:
        assert running.get("/metrics", Host="evil.example:8001").status == 403
        assert running.get("/metrics", Host=f"localhost:{running.port}").status == 200
        assert running.get("/health", Host="evil.example").status == 200
