"""Chromium without a screen, asked by its DevTools protocol over a pipe: what a page shows, loads and does."""

import base64
import fcntl
import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from fetch_browser import AXE, BROWSER, CHROMIUM

from tests.patience import HANG_S

_OPTIONS = (
    "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio",
    "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", "--hide-scrollbars", "--no-proxy-server",
)  # fmt: skip
_KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "ArrowDown": 40}
_SHIFT = 8
_LAUNCHER = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)
"""Becomes Chromium, which reads commands from descriptor 3 and writes answers to descriptor 4."""
_WIDE = """[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth)
  .map((e) => `${e.tagName}.${e.className}`).slice(0, 9).join(" ")"""
_SERIOUS = ("serious", "critical")


class BrowserError(Exception):
    """What the browser refused, or did not do in time."""


class Page:
    """A tab of its own, with no cookies and nothing in its cache."""

    def __init__(self, connection: "_Connection", *, width: int, dark: bool) -> None:
        self._connection = connection
        context = connection.ask("Target.createBrowserContext")["browserContextId"]
        target = connection.ask("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self._session = connection.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log", "DOM", "Audits"):
            self.ask(f"{domain}.enable")
        mobile = width < 700
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=844, deviceScaleFactor=1, mobile=mobile)
        self.width = width
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.ask("Emulation.setEmulatedMedia", features=scheme)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the protocol, and return its result."""
        return self._connection.ask(method, self._session, **parameters)

    def open(self, url: str) -> None:
        """Load an address, and wait until all that it loads is there."""
        self._connection.forget(self._session, "Page.loadEventFired")
        answer = self.ask("Page.navigate", url=url)
        if "errorText" in answer:
            raise BrowserError(f"{url}: {answer['errorText']}")
        self.until(lambda: self.events("Page.loadEventFired"), f"{url} is loaded")

    def events(self, method: str) -> list[dict[str, Any]]:
        """Return the events of a kind that have come."""
        self._connection.poll()
        return [each["params"] for each in self._connection.events if self._is_own(each, method)]

    def _is_own(self, event: dict[str, Any], method: str) -> bool:
        return bool(event["method"] == method and event.get("sessionId") == self._session)

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until something is true."""
        end = time.monotonic() + HANG_S
        while not condition():
            if time.monotonic() > end:
                raise BrowserError(f"not within {HANG_S} s: {what}")
            time.sleep(0.02)

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        answer = self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise BrowserError(f"{expression[:100]}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait_for(self, condition: str) -> None:
        """Wait until a condition in JavaScript is true in the page."""
        self.until(lambda: self.evaluate(f"Boolean({condition})"), condition)

    def text(self) -> str:
        """Return the text that is seen."""
        return str(self.evaluate("document.body.innerText"))

    def press(self, key: str, *, shift: bool = False) -> None:
        """Press a key and let it go."""
        named = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": _KEYS.get(key, 0)}
        text = {"Enter": "\r", " ": " "}.get(key)
        down = {"type": "keyDown", "text": text} if text else {"type": "rawKeyDown"}
        held = {"modifiers": _SHIFT if shift else 0}
        self.ask("Input.dispatchKeyEvent", **down, **named, **held)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **named, **held)

    def type(self, text: str) -> None:
        """Enter a text where the focus is."""
        self.ask("Input.insertText", text=text)

    def tab_to(self, condition: str, *, most: int = 60) -> None:
        """Press Tab until the focused element `e` satisfies a condition in JavaScript."""
        for _ in range(most):
            self.press("Tab")
            if self.evaluate(f"(e => {condition})(document.activeElement)"):
                return
        raise BrowserError(f"by {most} times Tab nothing was reached for which: {condition}")

    def choose(self, selector: str, *files: Path) -> None:
        """Choose files for an input, as the system's dialog does."""
        handle = self.ask("Runtime.evaluate", expression=f"document.querySelector({selector!r})")["result"]["objectId"]
        self.ask("DOM.setFileInputFiles", files=[str(file) for file in files], objectId=handle)

    def choose_by_keyboard(self, *files: Path) -> None:
        """Press Enter on the focused input of files, and choose them in the dialog that opens."""
        self.ask("Page.setInterceptFileChooserDialog", enabled=True)
        self._connection.forget(self._session, "Page.fileChooserOpened")
        self.press("Enter")
        self.until(lambda: self.events("Page.fileChooserOpened"), "a dialog for files is open")
        node = self.events("Page.fileChooserOpened")[-1]["backendNodeId"]
        self.ask("DOM.setFileInputFiles", files=[str(file) for file in files], backendNodeId=node)

    def screenshot(self, path: Path) -> None:
        """Keep what the whole page looks like."""
        path.write_bytes(self.picture())

    def picture(self) -> bytes:
        """Return what the whole page looks like, as PNG."""
        answer = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(answer["data"])

    def requested(self) -> list[str]:
        """Return each address that was asked for, but what the page holds in itself."""
        urls = [each["request"]["url"] for each in self.events("Network.requestWillBeSent")]
        return [url for url in urls if not url.startswith(("data:", "blob:", "about:"))]

    def faults(self, url: str) -> list[str]:
        """Return all that no page may have: foreign requests, complaints, serious findings, a row wider than it."""
        foreign = [f"asks for {each}" for each in self.requested() if not each.startswith(f"{url}/")]
        too_wide = []
        if (wide := self.evaluate("document.documentElement.scrollWidth")) > self.width:
            too_wide = [f"is {wide} pixels wide, and the window {self.width}: {self.evaluate(_WIDE)}"]
        return [*foreign, *too_wide, *self.complaints(), *self.serious_findings()]

    def complaints(self) -> list[str]:
        """Return what the browser complained of: violations of the policy, errors of scripts, failed requests."""
        logged = [each["entry"]["text"] for each in self.events("Log.entryAdded") if each["entry"]["level"] == "error"]
        thrown = [str(each["exceptionDetails"]) for each in self.events("Runtime.exceptionThrown")]
        kinds = ("ContentSecurityPolicyIssue",)
        issues = [str(each["issue"]) for each in self.events("Audits.issueAdded") if each["issue"]["code"] in kinds]
        return [*logged, *thrown, *issues]

    def serious_findings(self) -> list[str]:
        """Return what axe-core finds that is serious or critical."""
        if not self.evaluate("typeof axe == 'object'"):
            self.evaluate(f"{AXE.read_text(encoding='utf-8')}; 0")
        found = self.evaluate("axe.run(document).then(r => r.violations)")
        return [
            f"{each['id']}: {node['html'][:200]}: {node.get('failureSummary', '')[:200]}"
            for each in found
            if each["impact"] in _SERIOUS
            for node in each["nodes"]
        ]


class _Connection:
    """Commands and events over the pipe: JSON, ended by NUL."""

    def __init__(self, write: int, read: int) -> None:
        self.events: list[dict[str, Any]] = []
        self._write, self._read = write, read
        self._answers: dict[int, dict[str, Any]] = {}
        self._rest = b""
        self._last = 0
        self._selector = selectors.DefaultSelector()
        self._selector.register(read, selectors.EVENT_READ)

    def ask(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        asked = self._last
        message = {"id": asked, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        sent = json.dumps(message).encode() + b"\0"
        while sent:
            sent = sent[os.write(self._write, sent) :]
        end = time.monotonic() + HANG_S
        while asked not in self._answers:
            self.poll(max(0.0, end - time.monotonic()))
            if time.monotonic() > end:
                raise BrowserError(f"no answer to {method} within {HANG_S} s")
        answer = self._answers.pop(asked)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']}")
        return dict(answer["result"])

    def poll(self, seconds: float = 0.0) -> None:
        """Take in what has come, waiting for something for so long."""
        while self._selector.select(seconds):
            if not (chunk := os.read(self._read, 2**20)):
                raise BrowserError("the browser has ended")
            *messages, self._rest = (self._rest + chunk).split(b"\0")
            for message in map(json.loads, messages):
                if "id" in message:
                    self._answers[message["id"]] = message
                else:
                    self.events.append(message)
            seconds = 0.0

    def forget(self, session: str, method: str) -> None:
        self.events = [e for e in self.events if (e["method"], e.get("sessionId")) != (method, session)]


class Browser:
    """A running browser."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    def page(self, *, width: int = 1280, dark: bool = False) -> Page:
        """Return a new tab of this width, in light or dark."""
        return Page(self._connection, width=width, dark=dark)


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser until the block ends."""
    (its_in, our_out), (our_in, its_out) = os.pipe(), os.pipe()
    # Above 9, so that taking the numbers 3 and 4, which are Chromium's, closes none of them.
    handed = [fcntl.fcntl(each, fcntl.F_DUPFD, 10) for each in (its_in, its_out)]
    libraries = {str(path.parent) for path in (BROWSER / "usr/lib").rglob("*.so*")}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        environment = {
            "PATH": os.environ["PATH"], "HOME": home, "LD_LIBRARY_PATH": ":".join(sorted(libraries)),
            "XDG_DATA_HOME": str(BROWSER / "usr/share"),
        }  # fmt: skip
        launch = [sys.executable, "-I", "-S", "-c", _LAUNCHER, *map(str, handed)]
        command = [*launch, str(CHROMIUM), *_OPTIONS, f"--user-data-dir={home}/profile", "about:blank"]
        process = subprocess.Popen(command, pass_fds=handed, env=environment, stderr=subprocess.DEVNULL)
        for each in (its_in, its_out, *handed):
            os.close(each)
        connection = _Connection(our_out, our_in)
        try:
            yield Browser(connection)
        finally:
            with suppress(BrowserError, OSError):
                connection.ask("Browser.close")
            process.kill()
            process.wait()
            os.close(our_out)
            os.close(our_in)
