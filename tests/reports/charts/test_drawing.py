"""What is left of a drawing: exact texts, no colours, links or formulas of Lets-Plot's own, the same each time."""

import re
from html import unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lets_plot import aes, geom_point, geom_text, ggplot

from facemon.reports.charts.drawing import drawable, svg_of
from facemon.reports.charts.palette import color
from facemon.reports.column_figures import one_line

TEXTS = ("cam 1.2345", '<a href="http://x">1</a>', r"\( x^2 \)", "a & b", "0.0250", "100.0")


def drawn(*texts: str) -> str:
    data: dict[str, list[Any]] = {"x": list(range(len(texts))), "y": [0] * len(texts), "text": list(texts)}
    plot = (
        ggplot(data, aes("x", "y")) + geom_text(aes(label="text"), color=color("ink")) + geom_point(color=color("ok"))
    )
    return svg_of(plot, (300, 200), "chart", "T <1>", "D & E")


def texts_of(svg: str) -> list[str]:
    return [unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]


def test_texts_are_exact() -> None:
    svg = drawn(*map(drawable, TEXTS))
    assert set(TEXTS) <= set(texts_of(svg))
    assert "<a " not in svg
    assert '<title id="chart-title">T &lt;1&gt;</title><desc id="chart-desc">D &amp; E</desc>' in svg


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=24))
def test_any_text_is_drawn_as_it_is(text: str) -> None:
    svg = drawn(drawable(text))
    assert "<a " not in svg
    assert one_line(text).replace("\u2060", "") in [each.strip() for each in texts_of(svg)] or not one_line(text)


def test_colours_are_variables_and_nothing_is_drawn_by_lot() -> None:
    svg = drawn("a")
    assert "var(--ink)" in svg
    assert "var(--ok)" in svg
    assert not re.search(r"rgb\(|#0102|<style", svg)
    assert drawn("a") == svg


def test_a_chart_that_cannot_be_drawn_is_an_error() -> None:
    """Lets-Plot returns its error as the only text of the chart."""
    with pytest.raises(RuntimeError, match="the chart chart cannot be drawn: generateSvg"):
        svg_of(ggplot({"x": [1]}, aes("x", "y")) + geom_point(), (300, 200), "chart", "T", "D")
