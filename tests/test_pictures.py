"""The pictures of the documentation: small, readable in light and dark, and without text that overlaps."""

import re
from itertools import combinations
from xml.etree import ElementTree as ET

import pytest
from draw_verdicts import RARE
from verdict_figures import CAMERA_CHANGED, MIX_CHANGED, judged, ladder
from write_docs import every_picture, with_table

from facemon.config.drift import DriftConfig, ThresholdConfig
from facemon.domain.drift_result import Verdict

PICTURES = every_picture()
_SVG = "{http://www.w3.org/2000/svg}"
_SIZES = {"small": 12.0, "large": 16.0}
_WIDTH, _STRONG_WIDTH = 0.55, 0.62
"""Of a letter, in heights of the font: more than wide system fonts such as DejaVu Sans take."""

Box = tuple[float, float, float, float]


def box_of(shape: ET.Element) -> Box:
    """The left, top, right and bottom end of a text."""
    looks = shape.get("class", "").split()
    size = next((_SIZES[look] for look in looks if look in _SIZES), 13.0)
    is_strong = bool({"large", "strong"} & set(looks))
    width = len(shape.text or "") * size * (_STRONG_WIDTH if is_strong else _WIDTH)
    x, y = float(shape.get("x", "0")), float(shape.get("y", "0"))
    left = x - {"start": 0.0, "middle": width / 2, "end": width}[shape.get("text-anchor", "start")]
    return left, y - 0.8 * size, left + width, y + 0.25 * size


def overlap(first: Box, second: Box) -> bool:
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]


@pytest.mark.parametrize("name", PICTURES)
def test_texts_lie_on_the_page_and_do_not_overlap(name: str) -> None:
    page = ET.fromstring(PICTURES[name])  # noqa: S314 - our own text
    boxes = {f"{shape.text} at {shape.get('x')}, {shape.get('y')}": box_of(shape) for shape in page.iter(f"{_SVG}text")}
    width, height = float(page.get("width", "0")), float(page.get("height", "0"))
    for words, (left, top, right, bottom) in boxes.items():
        assert min(left, top) >= 0, words
        assert (right <= width, bottom <= height) == (True, True), words
    touching = [(a, b) for a, b in combinations(boxes, 2) if overlap(boxes[a], boxes[b])]
    assert touching == []


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_small_says_what_it_shows_and_has_colours_for_dark(name: str) -> None:
    svg = PICTURES[name]
    assert len(svg.encode()) < 20_000
    page = ET.fromstring(svg)  # noqa: S314 - our own text
    assert (page.findtext(f"{_SVG}title") or "").strip()
    assert (page.findtext(f"{_SVG}desc") or "").strip()
    light, dark = svg.split("@media (prefers-color-scheme:dark)")
    selectors = re.findall(r"^([a-z.,]+)\{(?:fill|stroke):#", light, flags=re.MULTILINE)
    assert selectors
    assert all(f"\n{selector}{{" in dark for selector in selectors)
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_pictures_are_the_same_each_time() -> None:
    assert every_picture() == PICTURES


def test_only_the_camera_that_changed_is_drift() -> None:
    assert [each.verdict for each in judged(MIX_CHANGED)] == [Verdict.OK] * 3
    assert [each.verdict for each in judged(CAMERA_CHANGED)] == [Verdict.DRIFT, Verdict.DRIFT, Verdict.OK]


def test_the_ladder_ends_where_chance_is_rare_and_before_the_reference() -> None:
    steps = ladder(200, DriftConfig(), days_since_reference=10)
    assert [step.name for step in steps] == ["24h", "2d", "4d", "7d", "10d"]
    assert [step.is_read for step in steps] == [True, True, True, True, False]


@pytest.mark.parametrize("threshold", [0.02, 0.03, 0.05, 0.1])
@pytest.mark.parametrize("rate", [150, 200, 500, 2_000])
def test_a_check_reads_on_until_chance_is_as_rare_as_the_picture_says(rate: int, threshold: float) -> None:
    steps = ladder(rate, DriftConfig(model=ThresholdConfig(threshold=threshold)))
    *before, last = (step for step in steps if step.is_read)
    assert last.clears
    assert last.decides == (last.by_chance <= RARE)
    assert all(step.by_chance > RARE for step in before)


@pytest.mark.parametrize("page", ["no marks", "<!-- made by make docs -->\n", "<!-- end of what make docs made -->\n"])
def test_a_page_without_both_marks_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="must be in the page once"):
        with_table(page, "table")
