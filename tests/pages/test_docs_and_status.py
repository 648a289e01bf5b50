"""Swagger UI and the state of a store in a real browser: looks without faults, by the keyboard alone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from facemon.server.bearer_tokens import BearerTokens
from facemon.store.ledger.opening import open_ledger
from tests.metrics.stores import CONFIGURATION, DECIDED, DRIFT, UNDECIDED, check_model, column
from tests.pages.browser import Browser
from tests.pages.test_predict_page import LOOKS, ROOM, TOKEN, url_of
from tests.server.exporters import exporter
from tests.server.served_api import picture, served
from tests.store.log_rows import log_images

pytestmark = pytest.mark.servers


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_swagger_ui_is_without_faults_and_needs_no_mouse(
    chrome: Browser, tmp_path: Path, width: int, dark: bool
) -> None:
    image = tmp_path / "face.png"
    image.write_bytes(picture())
    (tmp_path / "tokens").write_text(f"{TOKEN}\n")
    with served(tmp_path, tokens=BearerTokens(tmp_path / "tokens", print), **ROOM) as api:
        page = chrome.page(width=width, dark=dark)
        page.open(f"{url_of(api)}/docs")
        page.wait_for("document.querySelectorAll('.opblock').length == 4")
        assert page.faults(url_of(api)) == []
        page.tab_to("e.classList.contains('authorize')")
        page.press("Enter")
        page.tab_to("e.type == 'password' || e.id == 'auth-bearer-value'")
        page.type(TOKEN)
        assert page.serious_findings() == []
        page.press("Enter")
        page.tab_to("e.classList.contains('btn-done')")
        page.press("Enter")
        page.tab_to("e.closest('.opblock-post') && e.classList.contains('opblock-summary-control')")
        page.press("Enter")
        page.wait_for("document.querySelector('.try-out__btn')")
        page.tab_to("e.classList.contains('try-out__btn')")
        page.press("Enter")
        page.tab_to("e.type == 'file'")
        page.choose_by_keyboard(image)
        page.tab_to("e.classList.contains('execute')")
        page.press("Enter")
        page.wait_for("document.querySelector('.live-responses-table .response-col_status')")
        page.screenshot(tmp_path / "docs.png")
        assert "200" in page.evaluate("document.querySelector('.live-responses-table').textContent")
        assert len(api.logged) == 1
        assert page.faults(url_of(api)) == []
        assert page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_the_state_of_a_store_is_without_faults(chrome: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    (tmp_path / "facemon.yaml").write_text(CONFIGURATION)
    with open_ledger(tmp_path / ".facemon", create=True) as ledger:
        log_images(ledger, 50)
        columns = column("gender", DRIFT, 0.25), column("age", UNDECIDED), column("x" * 200, DECIDED, 0.01)
        sources = {"door": DRIFT, "g" * 200: DECIDED, None: UNDECIDED}
        check_model(ledger, *columns, at=datetime.now(UTC), sources=sources)
    with exporter(tmp_path) as running:
        url = f"http://127.0.0.1:{running.port}"
        page = chrome.page(width=width, dark=dark)
        page.open(f"{url}/")
        assert "Drift was found" in page.text()
        for _ in range(2):
            page.tab_to("e.tagName == 'SUMMARY' && !e.parentElement.open")
            page.press("Enter")
        page.screenshot(tmp_path / "state.png")
        assert page.faults(url) == []
        page.press("Tab")
        page.tab_to("e.textContent == 'Refresh each minute'")
        page.press("Enter")
        page.wait_for("document.querySelector('meta[http-equiv=refresh]')")
