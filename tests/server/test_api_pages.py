"""The API's pages: browsers get them, programs get what they got, and nothing of them comes from elsewhere."""

import re
from pathlib import Path

import pytest

from facemon.server import page_routes
from tests.reports.page_outline import Outline
from tests.server.raw_requests import connected, read_answer, request
from tests.server.served_api import Api, picture, served

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PAGES = ("/", "/docs")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_allows_nothing_of_elsewhere(api: Api, path: str) -> None:
    status, text, headers = api.ask("GET", path, headers=HTML)
    assert (status, headers["content-type"], headers["x-content-type-options"]) == (
        200,
        "text/html; charset=utf-8",
        "nosniff",
    )
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    page = Outline(text)
    assert page.count("style") == 0
    assert not any(name == "style" or name.startswith("on") for _, given in page.elements for name in given)
    assert not re.search(r"<script[^>]*>[^<]", text)
    loaded = [given.get("src") or given.get("href") for tag, given in page.elements if tag in ("script", "link", "img")]
    for name in filter(None, loaded):
        assert re.fullmatch(r"pages/[\w.-]+", name)
        status, _, headers = api.ask("GET", f"/{name}")
        assert (status, headers["x-content-type-options"]) == (200, "nosniff")
        status, text, headers = api.ask("GET", f"/{name}", headers={"If-None-Match": headers["etag"]})
        assert (status, text, headers.get("content-length")) == (304, "", None)


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/plain", "text/html;q=0"])
def test_programs_get_what_they_got_at_the_root(api: Api, accept: str | None) -> None:
    assert api.refusal("GET", "/", None, {"Accept": accept} if accept else {}) == (404, "not_found")
    assert api.refusal("POST", "/", b"", HTML) == (404, "not_found")
    assert api.requests("/") == {}
    assert api.requests("unmatched").keys() == {"404"}


def test_what_browsers_load_is_counted_under_two_endpoints(api: Api) -> None:
    for path in ("/", "/pages/style.css", "/pages/predict.js"):
        assert api.ask("GET", path, headers=HTML)[0] == 200
    assert (api.requests("/"), api.requests("/pages/{file}")) == ({"200": 1}, {"200": 2})


def test_head_has_the_headers_alone(api: Api) -> None:
    status, text, headers = api.ask("HEAD", "/", headers=HTML)
    assert (status, text, int(headers["content-length"]) > 1000) == (200, "", True)


@pytest.mark.parametrize(
    "name", ["", "x", "predict.html", "../page_files.py", "%2e%2e/asgi.py", "..%2f..%2fversion.py"]
)
def test_no_other_file_is_there(api: Api, name: str) -> None:
    with connected(api.port) as client:
        client.sendall(request("GET", f"/pages/{name}", "Accept: text/html"))
        assert read_answer(client)[0] == 404


def test_pages_of_other_sites_and_rebound_names_get_none(api: Api) -> None:
    for path in (*PAGES, "/pages/predict.js"):
        assert api.ask("GET", path, headers=HTML | {"Host": "evil.example"})[0] == 403
        assert api.ask("GET", path, headers=HTML | {"Origin": "http://evil.example"})[0] == 403


def test_a_configuration_switches_them_off(tmp_path: Path) -> None:
    with served(tmp_path, pages=False) as api:
        assert api.refusal("GET", "/", None, HTML) == (404, "not_found")
        assert api.refusal("GET", "/pages/style.css") == (404, "not_found")
        assert "<script" not in api.ask("GET", "/docs", headers=HTML)[1]
        assert api.ask("POST", "/predict", picture())[0] == 200


def test_without_swagger_ui_the_description_is_a_page_without_a_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page_routes._swagger_folder.cache_clear()
    monkeypatch.setattr(page_routes, "_SWAGGER_UI", "not_installed_here")
    try:
        with served(tmp_path) as api:
            page = api.ask("GET", "/docs", headers=HTML)[1]
            assert "POST /predict</code>" in page
            assert "<script" not in page
            assert api.refusal("GET", "/pages/swagger-ui.css") == (404, "not_found")
    finally:
        page_routes._swagger_folder.cache_clear()
