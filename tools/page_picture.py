"""Takes pictures of pages in headless Chromium: files, and what facemon's servers show."""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops

from tests.pages.browser import Browser, Page
from tests.patience import HANG_S

_URL = re.compile(r"http://127\.0\.0\.1:\d+")


@dataclass(frozen=True, slots=True)
class Look:
    """How wide a page is shown, in pixels, how much of its height, and in which colours."""

    width: int = 1280
    height: int = 800
    dark: bool = False


def shown(chrome: Browser, url: str, look: Look) -> Page:
    """Open a page in a new tab."""
    page = chrome.page(width=look.width, dark=look.dark)
    page.open(url)
    return page


_STEADY = """for (const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); walk.nextNode();)
  walk.currentNode.data = walk.currentNode.data.replace(/127\\.0\\.0\\.1:\\d+/, "127.0.0.1:8000")
    .replace(/(\\d\\d:\\d\\d):\\d\\d(\\.\\d+)?/, "$1:00").replace(/^[0-9a-f]{8}-\\d+$/, "00000000-1")"""
"""What differs from run to run in each page: the free port, the seconds of a time, the number of a request."""


def taken(page: Page, look: Look) -> Image.Image:
    """Return the upper part of a page as it looks now, without the empty room below its last line."""
    page.evaluate(_STEADY)
    page.evaluate("document.activeElement.blur(), window.scrollTo(0, 0)")
    image = Image.open(BytesIO(page.picture())).convert("RGB")
    image = image.crop((0, 0, look.width, min(look.height, image.height)))
    ground = Image.new("RGB", image.size, image.getpixel((image.width - 1, image.height - 1)))
    box = ImageChops.difference(image, ground).getbbox()
    return image.crop((0, 0, image.width, min(image.height, box[3] + 24))) if box else image


def kept(image: Image.Image, path: Path, *, has_photograph: bool) -> None:
    """Write a picture as WebP, of a page without a photograph without losses."""
    image.save(path, "WEBP", lossless=not has_photograph, quality=80 if has_photograph else 100, method=6)


@contextmanager
def serving(command: Sequence[str | Path], *, cwd: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """Run a server of facemon until the block ends, and yield the address that it says it listens on."""
    process = subprocess.Popen(command, cwd=cwd, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr or ():
            if found := _URL.search(line):
                yield found[0]
                return
        raise RuntimeError(f"{command} ended in {process.wait(HANG_S)} before it listened")
    finally:
        process.terminate()
        process.wait(HANG_S)
