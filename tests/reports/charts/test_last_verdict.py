"""The newest verdict is seen in the charts over time, whenever the page ends."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from facemon.domain.drift_result import Check, DriftResult, Verdict
from facemon.reports.charts.drawing import svg_of
from facemon.reports.charts.drift_history import Span, histories, score_figure, verdict_figure
from facemon.reports.charts.figure import Figure
from tests.reports.results import RESULT

SEEN_PX = 8.0
DAY = timedelta(days=1)


def quiet(result: DriftResult, at: int) -> DriftResult:
    """The same check so many days before, without drift."""
    checks = {
        check: replace(
            outcome,
            verdict=Verdict.OK,
            columns=tuple(replace(column, verdict=Verdict.OK) for column in outcome.columns),
        )
        for check, outcome in result.checks.items()
    }
    return replace(result, at=result.at - at * DAY, checks=checks)


def drawn(figure: Figure, width: int) -> str:
    return svg_of(figure.draw(width), (width, figure.height), "chart", "title", "description")


def widths(svg: str, colour: str) -> list[float]:
    shapes = [shape for shape in re.findall(r"<rect[^>]*>", svg) if f"var(--{colour})" in shape]
    return [float(found[1]) for shape in shapes if (found := re.search(r'width="([\d.]+)"', shape))]


@pytest.mark.parametrize("days", [1, 4, 30])
@pytest.mark.parametrize("since_the_check", [timedelta(0), timedelta(minutes=5), timedelta(hours=9)])
@pytest.mark.parametrize("width", [360, 860])
def test_the_last_verdict_is_seen(days: int, since_the_check: timedelta, width: int) -> None:
    checks = [*(quiet(RESULT, day) for day in range(days, 0, -1)), RESULT]
    span = Span(checks[0].at, RESULT.at + since_the_check)
    assert max(widths(drawn(verdict_figure(checks, span), width), "drift")) >= SEEN_PX
    (history,) = (each for each in histories(checks) if (each.check, each.column) == (Check.MODEL, "gender"))
    assert max(widths(drawn(score_figure(1, history, span), width), "drift")) >= SEEN_PX
