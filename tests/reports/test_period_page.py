import re
from collections import Counter
from dataclasses import replace

import pytest

from facemon.domain.drift_result import Verdict
from facemon.domain.period_report import Beside, Thumbnail
from facemon.reports.period_page import period_page
from tests.reports.page_outline import Outline
from tests.reports.periods import BEGIN, DAY, END, LARGE_REPORT, NASTY_REPORT, REPORT, check

PAGES = {"plain": REPORT, "nasty": NASTY_REPORT, "large": LARGE_REPORT}


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {name: period_page(report) for name, report in PAGES.items()}


@pytest.mark.parametrize("name", PAGES)
def test_drawing_prints_nothing(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Lets-Plot tells on stdout, from a library of its own, what it leaves out of a chart."""
    period_page(PAGES[name])
    assert capfd.readouterr() == ("", "")


def text_of(page: str) -> str:
    return " ".join(" ".join(Outline(page).text).split())


def test_the_page_is_dated_and_has_its_hash(pages: dict[str, str]) -> None:
    text = text_of(pages["plain"])
    assert "small@1: 2026-11-01 to 2026-12-01" in text
    assert "2026-11-01 00:00 to 2026-12-01 00:00 UTC · made at 2026-12-01 00:00 UTC" in text
    assert "0" * 64 in text
    assert "Annex IV, points 2(g) and 6" in text


def test_each_part_says_what_it_knows(pages: dict[str, str]) -> None:
    text = text_of(pages["plain"])
    for said in (
        "camera 1", "no source", "reference normal after the new lens", "9,000", "undecided", "megapixels",
        "image_contrast: only the reference has it.", "7 rows arrived since the last recorded check",
        "yard: no rows in the window of the last check, 300 in the reference; last seen 2026-11-06 00:00.",
        "90.0%", "83.0% to 94.0%", "3 checks: 1 drift, 1 undecided, 1 ok.",
    ):  # fmt: skip
        assert said in text, said


def test_what_is_not_known_is_said() -> None:
    empty = replace(
        REPORT, volumes=(), marks=(), checks=(), accuracy=(), beside=Beside(None, BEGIN, END, trouble="no reference")
    )
    text = text_of(period_page(empty))
    for said in (
        "The log has no images of small@1 in this period.", "No check of small@1 was recorded in this period",
        "last verdict none", "Nothing can be compared", "no reference.",
        "No evaluation of small@1 against true labels was recorded", "could not be read none",
    ):  # fmt: skip
        assert said in text, said
    assert "ok" not in text.split()


@pytest.mark.parametrize("name", PAGES)
def test_nothing_from_outside_and_nothing_that_runs(pages: dict[str, str], name: str) -> None:
    outline = Outline(pages[name])
    assert not {"script", "link", "iframe", "x", "a"} & {tag for tag, _ in outline.elements}
    sources = [values["src"] for _, values in outline.elements if "src" in values]
    assert all((source or "").startswith("data:image/jpeg;base64,") for source in sources)
    assert not any(name in values for _, values in outline.elements for name in ("href", "xlink:href"))
    assert not re.search(r"https?:|url\((?!#)", pages[name])


@pytest.mark.parametrize("name", PAGES)
def test_colours_follow_the_page_in_light_and_dark(pages: dict[str, str], name: str) -> None:
    charts = re.findall(r"<svg.*?</svg>", pages[name], re.DOTALL)
    assert charts
    assert [found for chart in charts for found in re.findall(r"rgb\(|[\"':]#[0-9a-f]{3,6}\b", chart)] == []


@pytest.mark.parametrize("name", PAGES)
def test_identifiers_are_unique_and_each_chart_has_a_name_and_its_numbers(pages: dict[str, str], name: str) -> None:
    outline = Outline(pages[name])
    counted = Counter(values["id"] for _, values in outline.elements if "id" in values)
    assert [each for each, count in counted.items() if count > 1] == []
    drawn = [values for tag, values in outline.elements if tag == "svg"]
    assert all(id_ in counted for values in drawn for id_ in (values["aria-labelledby"] or "").split())
    assert outline.count("figure") == outline.count("details") > 4
    used = re.findall(r"url\(#([^)]+)\)", pages[name])
    assert set(used) <= set(counted)


def test_the_page_of_many_sources_columns_and_checks_is_small(pages: dict[str, str]) -> None:
    assert len(pages["large"].encode()) < 2_000_000
    assert "Not drawn, because they are further from their thresholds: column" in pages["large"]


def test_the_same_report_is_the_same_page(pages: dict[str, str]) -> None:
    assert period_page(REPORT) == pages["plain"]


def test_an_image_that_cannot_be_shown_says_why() -> None:
    shown = Thumbnail("gender", "male", "a.jpg", BEGIN, "male", b"\xff\xd8", None)
    gone = replace(shown, image="b.jpg", jpeg=None, trouble="no such file")
    page = period_page(replace(REPORT, thumbnails=(shown, gone)))
    outline = Outline(page)
    assert [values["alt"] for tag, values in outline.elements if tag == "img"] == ["a.jpg"]
    assert "b.jpg 2026-11-01 00:00, male no such file" in text_of(page)
    assert "no row of the log was read" not in page


def test_undecided_columns_are_named_with_their_reason() -> None:
    report = replace(REPORT, checks=(check(BEGIN + DAY, Verdict.UNDECIDED),))
    assert "column 0 (data): shift 0.020, limit 0.100, adjusted p 0.500, 900 / 300 rows: too few rows" in text_of(
        period_page(report)
    )


@pytest.mark.parametrize(("source", "whose"), [(None, ""), ("gate", " of all sources")])
def test_late_rows_are_those_of_all_sources_before_the_last_window(source: str | None, whose: str) -> None:
    """The ledger counts them by model; the period may have ended long before the next check."""
    page = period_page(replace(REPORT, source=source))
    assert f"7 rows{whose} arrived since the last recorded check, for times before 2026-11-30 00:00 UTC." in page
