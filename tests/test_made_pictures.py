"""The pictures of `make pictures`: each is shown, small, and readable; what stays on the screen of a terminal."""

import os
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from make_pictures import IMAGES, MADE, terminal_name
from PIL import Image
from terminal_picture import COLUMNS, Typed, screen, terminal_picture, typed
from write_docs import every_picture

ROOT = IMAGES.parents[1]
PAGES = [path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))]
_SVG = "{http://www.w3.org/2000/svg}"


def test_no_picture_is_missing_and_none_is_shown_nowhere() -> None:
    there = {path.name for path in IMAGES.iterdir()}
    assert {*MADE, *every_picture()} <= there
    assert [name for name in there if not any(f"images/{name})" in page for page in PAGES)] == []
    assert sum(path.stat().st_size for path in IMAGES.iterdir()) < 1_000_000


@pytest.mark.parametrize("name", MADE)
def test_each_picture_is_small(name: str) -> None:
    assert (IMAGES / name).stat().st_size < 150_000
    if not terminal_name(name):
        with Image.open(IMAGES / name) as image:
            assert image.width in (390, 1280)


@pytest.mark.parametrize("name", [name for name in MADE if terminal_name(name)])
def test_a_terminal_needs_nothing_from_elsewhere_and_no_line_is_wider_than_it(name: str) -> None:
    text = (IMAGES / name).read_text(encoding="utf-8")
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "/tmp" not in text
    page = ET.fromstring(text)  # noqa: S314 - our own text
    assert (page.findtext(f"{_SVG}title") or "").strip()
    assert (page.findtext(f"{_SVG}desc") or "").strip()
    shapes = list(page.iter(f"{_SVG}text"))
    ends = [float(shape.get("x", "0")) + float(shape.get("textLength", "0")) for shape in shapes]
    assert max(ends) <= float(page.get("width", "0"))
    assert any("red" in shape.get("class", "") for shape in shapes) == (name == "drift-check.svg")


def test_a_bar_that_was_wiped_away_leaves_nothing() -> None:
    assert screen("one\r\nbar 1\r\x1b[2Kbar 2\r\x1b[2K\x1b[1A\x1b[2Kend\r\n") == "end"
    assert screen("\x1b[1;31mred\x1b[0m plain\r\n\x1b[?25lmore") == "\x1b[1;31mred\x1b[0m plain\nmore"


def test_a_command_sees_a_terminal_and_its_code_is_kept(tmp_path: Path) -> None:
    line = "test -t 0 && test -t 1 && test -t 2 && stty size && pwd && printf 'x%.0s' $(seq 100); exit 3"
    shown = typed(line, cwd=tmp_path, environment=dict(os.environ), home="/srv/faces")
    assert (shown.code, shown.shown.splitlines()[:2]) == (3, [f"50 {COLUMNS}", "/srv/faces"])
    svg = terminal_picture("title", "a <description>", [shown, Typed("echo $?", "3", 0)])
    assert [len(found) for found in re.findall(r">(x+)<", svg)] == [COLUMNS, 20]
    assert "a &lt;description&gt;" in svg
