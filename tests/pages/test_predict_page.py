"""The API's page in a real browser: images by each way, by the keyboard alone, with a token, and what is wrong."""

from pathlib import Path
from typing import Any

import pytest

from facemon.server.bearer_tokens import BearerTokens
from tests.pages.browser import Browser, Page
from tests.patience import wait_until
from tests.server.served_api import Api, picture, served

pytestmark = pytest.mark.servers

TOKEN = "0123456789abcdef-right"
LOOKS = [(width, dark) for width in (390, 1280) for dark in (False, True)]
ROOM: dict[str, Any] = {"max_pixels": 10**7, "max_body": 10**7, "timeout": "30s"}
DROPPED = """(async () => {
  const canvas = Object.assign(document.createElement("canvas"), {width: 9, height: 9});
  const blob = await new Promise((done) => canvas.toBlob(done));
  const data = new DataTransfer();
  for (const name of NAMES) data.items.add(new File([blob], name, {type: "image/png"}));
  document.dispatchEvent(EVENT);
})()"""
EVENTS = {
    "paste": 'new ClipboardEvent("paste", {clipboardData: data})',
    "drop": 'new DragEvent("drop", {dataTransfer: data, cancelable: true})',
}


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "a face.png"
    path.write_bytes(picture(size=(80, 60)))
    return path


def url_of(api: Api) -> str:
    return f"http://127.0.0.1:{api.port}"


def opened(chrome: Browser, api: Api, *, width: int = 1280, dark: bool = False) -> Page:
    page = chrome.page(width=width, dark=dark)
    page.open(f"{url_of(api)}/")
    return page


def is_found(page: Page) -> None:
    page.wait_for("document.getElementById('status').textContent == 'One face was found.'")


def problem(page: Page) -> str:
    page.wait_for("!document.getElementById('problem').hidden")
    return str(page.evaluate("document.getElementById('problem').textContent"))


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_each_look_of_it_is_without_faults(
    chrome: Browser, image: Path, tmp_path: Path, width: int, dark: bool
) -> None:
    with served(tmp_path, **ROOM) as api:
        page = opened(chrome, api, width=width, dark=dark)
        assert page.faults(url_of(api)) == []
        page.choose("#file", image)
        is_found(page)
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        page.screenshot(tmp_path / "page.png")
        assert page.faults(url_of(api)) == []
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(15, 19, 23)") == dark


def test_what_was_predicted_and_logged_is_shown(chrome: Browser, image: Path, tmp_path: Path) -> None:
    with served(tmp_path, **ROOM) as api:
        page = opened(chrome, api)
        page.evaluate("document.getElementById('source').value = 'it\\'s the <b>door</b>'")
        page.choose("#file", image)
        is_found(page)
        text = page.text()
        assert "glasses\tyes" in text
        (batch,) = api.logged
        (row,) = batch.rows.to_pylist()
        for said in (row["image_sha256"], row["model"], "it's the <b>door</b>"):
            assert said in text
        assert row["source"] == "it's the <b>door</b>"
        target = f"{url_of(api)}/predict?source=it%27s+the+%3Cb%3Edoor%3C%2Fb%3E"
        assert f"curl --data-binary '@a face.png' '{target}'" in text


@pytest.mark.parametrize("way", EVENTS)
def test_an_image_can_be_dropped_or_pasted(chrome: Browser, tmp_path: Path, way: str) -> None:
    with served(tmp_path, **ROOM) as api:
        page = opened(chrome, api)
        page.evaluate(DROPPED.replace("NAMES", '["<i>one</i>.png", "two.png"]').replace("EVENT", EVENTS[way]))
        is_found(page)
        assert "<i>one</i>.png, 1 KiB; of 2 files only the first is sent" in page.text()
        assert len(api.logged) == 1


def test_a_photograph_can_be_taken(chrome: Browser, tmp_path: Path) -> None:
    with served(tmp_path, **ROOM) as api:
        page = opened(chrome, api)
        page.tab_to("e.id == 'camera'")
        page.press("Enter")
        page.wait_for("document.getElementById('video').videoWidth > 0")
        assert page.faults(url_of(api)) == []
        page.evaluate("window.track = document.getElementById('video').srcObject.getTracks()[0]; 0")
        page.tab_to("e.id == 'take'")
        page.press("Enter")
        is_found(page)
        assert page.evaluate("window.track.readyState") == "ended"
        assert "photograph.jpg" in page.text()


def test_the_keyboard_alone_suffices(chrome: Browser, image: Path, tmp_path: Path) -> None:
    with served(tmp_path, **ROOM) as api:
        page = opened(chrome, api)
        page.tab_to("e.id == 'file'")
        outline = "getComputedStyle(document.querySelector('.button')).outlineStyle"
        assert page.evaluate(outline) == "solid", "the focus is seen"
        page.choose_by_keyboard(image)
        is_found(page)
        page.tab_to("e.id == 'source'")
        page.type("gate")
        page.press("Enter")
        page.wait_for("document.getElementById('facts').textContent.includes('gate')")
        page.tab_to("e.tagName == 'SUMMARY'")
        page.press("Enter")
        page.wait_for("document.querySelector('details').open")
        assert '"source": "gate"' in page.text()
        assert [batch.rows["source"][0].as_py() for batch in api.logged] == [None, "gate"]


def test_a_token_is_asked_for_and_kept_in_memory_alone(chrome: Browser, image: Path, tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text(f"{TOKEN}\n")
    with served(tmp_path, tokens=BearerTokens(tmp_path / "tokens", print), **ROOM) as api:
        page = opened(chrome, api)
        page.wait_for("!document.getElementById('token-field').hidden")
        page.choose("#file", image)
        page.wait_for("document.activeElement.id == 'token'")
        assert not any(url.endswith("/predict") for url in page.requested()), "nothing is sent without a token"
        page.type("0123456789abcdef-wrong")
        page.press("Enter")
        assert problem(page).startswith("401 unauthorized")
        page.evaluate("document.getElementById('token').select()")
        page.type(TOKEN)
        page.press("Enter")
        is_found(page)
        assert page.evaluate("document.getElementById('problem').hidden")
        assert '-H "Authorization: Bearer $TOKEN"' in page.text()
        assert TOKEN not in page.evaluate("document.body.textContent")
        assert page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0
        assert len(api.logged) == 1
        page.open(f"{url_of(api)}/")
        assert page.evaluate("document.getElementById('token').value") == ""


def test_what_is_wrong_is_said(chrome: Browser, tmp_path: Path) -> None:
    for name, content in (("text.png", b"no picture"), ("wide.png", picture(size=(400, 400)))):
        (tmp_path / name).write_bytes(content)
    with served(tmp_path, timeout="30s") as api:
        page = opened(chrome, api)
        page.choose("#file", tmp_path / "text.png")
        assert problem(page).startswith("422 unreadable: ")
        page.wait_for("document.getElementById('caption').textContent.endsWith('this browser cannot show it')")
        page.choose("#file", tmp_path / "wide.png")
        page.wait_for("document.getElementById('problem').textContent.startsWith('413 too_large: ')")
        assert page.serious_findings() == []


def test_a_server_that_has_ended_is_said(chrome: Browser, image: Path, tmp_path: Path) -> None:
    with served(tmp_path, **ROOM) as api:
        page = opened(chrome, api)
    page.choose("#file", image)
    assert problem(page).startswith("The server did not answer")
    wait_until(lambda: page.evaluate("document.getElementById('status').textContent") == "No prediction.")


@pytest.mark.parametrize(("status", "body"), [(200, "<h1>Sign in</h1>"), (200, "null"), (200, "{}"), (502, "null")])
def test_an_answer_of_a_proxy_is_no_prediction(
    chrome: Browser, image: Path, tmp_path: Path, status: int, body: str
) -> None:
    """The page says so, and neither waits for ever nor shows nothing."""
    with served(tmp_path, **ROOM) as api:
        page = opened(chrome, api)
        page.evaluate(f"window.fetch = async () => new Response({body!r}, {{status: {status}}}), 0")
        page.choose("#file", image)
        assert str(status) in problem(page)
        assert page.evaluate("document.getElementById('status').textContent") == "No prediction."
        assert page.complaints() == []
