"""The documentation site as Zensical builds it, strictly, and in a browser: nothing is asked of another host."""

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from build_site import ZENSICAL, SiteError, build, staged

from tests.pages.browser import Browser
from tests.pages.test_predict_page import LOOKS

pytestmark = [pytest.mark.servers, pytest.mark.slow]
PAGES = ("index.html", "how-to/start-the-stack.html", "verdicts.html", "reference/configuration.html", "metrics.html")

_RESULTS = "[...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean)"
"""The search lives in a tree of its own."""


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and writes no log."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    if not ZENSICAL.exists():
        pytest.skip("Zensical is not in .tools/peers: make docs")
    return build(staged(), tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where the site is served."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("link", ["lost.md", "verdicts.md#lost"])
def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path, link: str) -> None:
    pages = staged()
    pages["index.md"] += f"\n[a link]({link})\n"
    with pytest.raises((SiteError, FileNotFoundError), match="lost"):
        build(pages, tmp_path)


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_pages_ask_nothing_of_another_host(
    chrome: Browser, address: str, tmp_path: Path, width: int, dark: bool
) -> None:
    faults = []
    for name in PAGES:
        page = chrome.page(width=width, dark=dark)
        page.open(f"{address}/{name}")
        page.wait_for("document.querySelector('h1')")
        page.screenshot(tmp_path / f"{name.replace('/', '-')}.png")
        faults += [f"{name}: {fault}" for fault in page.faults(address)]
    assert faults == []


def test_each_page_opens_with_its_scripts_and_nothing_else(chrome: Browser, address: str, site: Path) -> None:
    page = chrome.page()
    for path in sorted(site.rglob("*.html")):
        page.open(f"{address}/{path.relative_to(site)}")
    assert [url for url in page.requested() if not url.startswith(f"{address}/")] == []
    assert page.complaints() == []


@pytest.mark.parametrize("is_served", [True, False])
def test_the_search_finds_a_page_also_without_a_server(
    chrome: Browser, address: str, site: Path, is_served: bool
) -> None:
    start = address if is_served else site.as_uri()
    page = chrome.page()
    page.open(f"{start}/how-to/cron.html")
    page.wait_for("document.querySelector('.md-search__button')")
    page.evaluate("document.querySelector('.md-search__button').click()")
    page.wait_for(f"{_RESULTS}.length")
    page.type("pushgateway")
    page.wait_for(f"{_RESULTS}.some(e => e.querySelector('a[href*=export-metrics]'))")
    assert [url for url in page.requested() if not url.startswith(f"{start}/")] == []
