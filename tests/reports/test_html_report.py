import re
from dataclasses import replace
from datetime import timedelta

from facemon.reports.html_report import html_report, verdict_table_html
from facemon.reports.page_parts import table_html
from facemon.reports.printed_parts import Table
from tests.reports.page_outline import Outline
from tests.reports.results import BY_SOURCE, NASTY_RESULT, RESULT, SHAPES


def test_the_page_has_the_verdict_both_sides_and_every_column() -> None:
    page = Outline(html_report(RESULT))
    text = " ".join(page.text)
    assert (
        "Drift. Current: 812 rows from 2026-11-22 02:00 to 2026-11-23 02:00 UTC, reference day one: 10,000 rows."
        in text
    )
    assert "checked at 2026-11-23 02:00:00 UTC · model age-gender@1 · reference holds predictions" in text
    for said in ("model: drift (1 drifted, 1 undecided)", "gender", "12.1 pts", "min_rows 200", "Mind this."):
        assert said in text
    assert (page.count("table"), page.count("svg"), page.count("td", "drift")) == (2, 0, 1)
    assert "Drift over time" not in text


def test_shapes_are_drawn_and_written_out() -> None:
    page = Outline(html_report(RESULT, SHAPES))
    assert page.count("svg") == page.count("details") == 2
    assert {"range", "label", "<male>", "50.0%", "75.0%", "megapixels", "share of rows, %"} <= set(page.text)


def test_earlier_checks_are_drawn_over_time() -> None:
    earlier = [replace(RESULT, at=RESULT.at - timedelta(days=day)) for day in (3, 2, 1)]
    page = Outline(html_report(RESULT, None, None, earlier))
    text = " ".join(page.text)
    assert "Drift over time" in text
    assert "gender (model check)" in text
    assert "4 checks: 4 drift." in text
    assert "filename (data check)" not in text, "it was never compared"
    # The verdicts are drawn for a wide and for a narrow page.
    # A column that was always ok has no chart of its own.
    assert page.count("svg") == 2 + 2
    assert "Not drawn: 1 column that all of these checks found ok; facemon report draws them." in text


def test_sources() -> None:
    page = Outline(html_report(BY_SOURCE))
    assert "source cam 1: drift of gender (412 rows, 5,000 in the reference)" in page.text
    assert page.count("table") == 3


def test_nothing_from_outside_and_nothing_that_runs() -> None:
    for page in (html_report(BY_SOURCE, SHAPES), html_report(NASTY_RESULT), verdict_table_html(NASTY_RESULT)):
        outline = Outline(page)
        assert not {"script", "link", "img", "iframe", "x"} & {tag for tag, _ in outline.elements}
        assert not {"src", "href"} & {name for _, values in outline.elements for name in values}
        assert "http" not in page
        assert not re.search(r"url\((?!#)", page)


def test_the_fragment_styles_itself() -> None:
    fragment = Outline(verdict_table_html(BY_SOURCE))
    assert fragment.elements[0][0] == "section"
    assert not {"style", "html", "body"} & {tag for tag, _ in fragment.elements}
    assert not any("class" in values for _, values in fragment.elements)
    assert "source cam 1: drift of gender (412 rows, 5,000 in the reference)" in fragment.text
    assert "gender" in fragment.text


def test_figures_stay_on_one_line_and_verdicts_have_their_colours() -> None:
    cells = {"3e-53": "figure", "1,200 / 300": "figure", "0.2 pts": "figure", "<1e-99": "figure", "1,200": "number",
             "drift": "drift", "undecided": "undecided", "over 24h": None, "yard-3e": None}  # fmt: skip
    page = Outline(table_html(Table(("a",), tuple((text,) for text in cells)), "figures"))
    assert [values.get("class") for tag, values in page.elements if tag == "td"] == list(cells.values())
    assert Outline(html_report(BY_SOURCE)).count("td", "drift") > Outline(html_report(RESULT)).count("td", "drift")
