"""A drift result as one page of HTML without scripts and without anything from outside."""

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from facemon.domain.column_axis import axis_title
from facemon.domain.counted import counted
from facemon.domain.drift_result import Check, CheckResult, DriftResult, Verdict
from facemon.domain.period_report import ColumnBeside
from facemon.reports.charts.distributions import KEY as SIDES
from facemon.reports.charts.distributions import beside_figure
from facemon.reports.charts.drift_history import KEY as VERDICTS
from facemon.reports.charts.drift_history import Span, histories, score_figure, verdict_figure
from facemon.reports.charts.figure import PAGE_STYLE, figure_html, key_html
from facemon.reports.column_figures import HEADINGS, column_figures
from facemon.reports.page_parts import figure_cell, list_html, page_html, rows_html, table_html
from facemon.reports.ranking import ranked
from facemon.reports.text_report import Shapes, text_report

_MOST_CHARTS = 40
"""Of columns over time."""
_COLORS = {Verdict.DRIFT: "#b91c1c", Verdict.UNDECIDED: "#92600a", Verdict.OK: "#15803d", Verdict.NOT_COMPARED: "#555"}


def html_report(
    result: DriftResult,
    shapes: Shapes | None = None,
    evidently_page: str | None = None,
    earlier: Sequence[DriftResult] = (),
) -> str:
    """The verdict, both sides, a table per check with the distributions in `shapes`, the sources, and drift over time.

    `evidently_page` is the name of Evidently's page in the same folder. `earlier` are recorded checks before this one,
    oldest first.
    """
    report = text_report(result)
    first, *checks = report.summary
    parts = [f'<h1 class="{result.verdict.value}">{escape(first)}</h1>', _facts(result)]
    parts += [f"<p>{escape(note)}</p>" for note in report.notes]
    for sentence, (check, outcome) in zip(checks, result.checks.items(), strict=True):
        drawings = _drawings(check, outcome, shapes or {})
        parts.append(f"<h2>{escape(sentence)}</h2>{_check_table(check, outcome)}{drawings}")
    if result.sources:
        table = table_html(report.source_columns, "Columns by source") if report.source_columns.rows else ""
        parts.append(f"<h2>By source</h2>{list_html(report.source_summary)}{table}")
    if earlier:
        parts.append(_over_time([*earlier, result]))
    if evidently_page is not None:
        parts.append(f'<p><a href="{escape(quote(evidently_page))}">Evidently\'s report</a></p>')
    return page_html(f"Drift check: {result.verdict.value}", PAGE_STYLE, parts)


def verdict_table_html(result: DriftResult) -> str:
    """The verdict and the table of all columns, styled inline, to go on top of a page that another library wrote."""
    report = text_report(result)
    first, *checks = report.summary
    frame = "margin:0;padding:16px 24px;background:#fff;color:#1c2127;font:15px/1.5 sans-serif;overflow-x:auto"
    cell = "padding:4px 12px 4px 0;border-bottom:1px solid #d9dee4;text-align:left;vertical-align:top"
    headings = "".join(f'<th style="{cell}">{escape(heading)}</th>' for heading in report.columns.headings)
    rows = [
        "<tr>" + "".join(f'<td style="{cell}">{escape(text)}</td>' for text in row) + "</tr>"
        for row in report.columns.rows
    ]
    return (
        f'<section style="{frame}">'
        f'<p style="margin:0 0 8px;font-size:18px;color:{_COLORS[result.verdict]}"><b>{escape(first)}</b></p>'
        f"{list_html((*checks, *report.source_summary, *report.notes))}"
        f'<table style="border-collapse:collapse"><tr>{headings}</tr>{"".join(rows)}</table></section>'
    )


def _facts(result: DriftResult) -> str:
    facts = {
        "checked at": f"{result.at:%Y-%m-%d %H:%M:%S} UTC",
        "model": result.model,
        "source": result.source,
        "reference holds": result.reference.kind,
    }
    said = [f"{name} {escape(fact)}" for name, fact in facts.items() if fact]
    return f'<p class="faint">{" · ".join(said)}</p>'


def _check_table(check: Check, outcome: CheckResult) -> str:
    rows = []
    for _, column in ranked({check: outcome}):
        name, verdict, *figures, why = column_figures(check, column)
        cells = [f'<th scope="row">{escape(name)}</th>', f'<td class="{column.verdict.value}">{verdict}</td>']
        cells += map(figure_cell, figures)
        rows.append(f"<tr>{''.join(cells)}<td>{escape(why)}</td></tr>")
    return rows_html(HEADINGS, rows, f"Columns of the {check.value} check")


def _drawings(check: Check, outcome: CheckResult, shapes: Shapes) -> str:
    """Both distributions of each column that has them, in the order of the table."""
    figures = list[str]()
    for _, column in ranked({check: outcome}):
        shape = None if column.verdict is Verdict.NOT_COMPARED else shapes.get((check, column.column))
        if shape is not None:
            number, sides = f"{check.value}-{len(figures) + 1}", (column.n_reference, column.n_current)
            beside = ColumnBeside(column.column, axis_title(column.column), "", "row", shape, *sides)
            figures.append(figure_html(beside_figure(number, beside, shape)))
    return f'{key_html(SIDES)}<div class="grid">{"".join(figures)}</div>' if figures else ""


def _over_time(checks: Sequence[DriftResult]) -> str:
    """The verdict of each check, and the scores of those columns of the last one that were not always ok.

    Each chart costs a nightly check 10 ms or more, and one of a quiet column says what the table says.
    """
    span = Span(checks[0].at, checks[-1].at)
    last = {(check, column.column) for check, outcome in checks[-1].checks.items() for column in outcome.columns}
    there = [each for each in histories(checks) if (each.check, each.column) in last and len(each.results) > 1]
    shown = [each for each in there if any(result.verdict is not Verdict.OK for _, result in each.results)]
    charts = "".join(figure_html(score_figure(at, each, span)) for at, each in enumerate(shown[:_MOST_CHARTS], 1))
    verdicts = figure_html(verdict_figure(checks, span))
    parts = ["<h2>Drift over time</h2>", verdicts, key_html(VERDICTS[:3]), f'<div class="grid">{charts}</div>']
    if quiet := len(there) - len(shown):
        said = f"Not drawn: {counted(quiet, 'column')} that all of these checks found ok; facemon report draws them."
        parts.append(f"<p>{said}</p>")
    return "".join(parts)
