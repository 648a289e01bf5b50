"""A drift result as one page of HTML without scripts and without anything from outside."""

from collections.abc import Iterable, Sequence
from html import escape
from urllib.parse import quote

from facemon.domain.column_shape import ColumnShape
from facemon.domain.drift_result import Check, CheckResult, DriftResult, Verdict
from facemon.domain.times import format_time
from facemon.reports.column_figures import HEADINGS, column_figures
from facemon.reports.distribution_drawing import distribution_svg, distribution_table
from facemon.reports.printed_parts import Table
from facemon.reports.ranking import ranked
from facemon.reports.text_report import Shapes, text_report

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2127; --faint: #67707b; --line: #d9dee4;
  --reference: #9aa5b1; --current: #2563eb; --drift: #b91c1c; --undecided: #92600a; --ok: #15803d; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181d; --ink: #e4e8ec; --faint: #98a2ad; --line: #333b44;
  --reference: #66717d; --current: #6ea0ff; --drift: #ff7b72; --undecided: #e3b341; --ok: #56d364; } }
body { margin: 2rem auto; max-width: 70rem; padding: 0 1rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; } .wide { overflow-x: auto; }
th, td { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { font-weight: 600; } .faint, summary { color: var(--faint); }
.drift { color: var(--drift); font-weight: 600; } .undecided { color: var(--undecided); } .ok { color: var(--ok); }
.key { display: inline-block; width: .7em; height: .7em; margin: 0 .3em 0 1em; }
.key.reference { background: var(--reference); } .key.current { background: var(--current); }
rect.reference { fill: var(--reference); } rect.current { fill: var(--current); } rect.axis { fill: var(--line); }
"""
_KEY = '<p class="faint">Distributions:<i class="key reference"></i>reference<i class="key current"></i>current</p>'
_COLORS = {Verdict.DRIFT: "#b91c1c", Verdict.UNDECIDED: "#92600a", Verdict.OK: "#15803d", Verdict.NOT_COMPARED: "#555"}


def html_report(result: DriftResult, shapes: Shapes | None = None, evidently_page: str | None = None) -> str:
    """The verdict, both sides, a table per check with the distributions in `shapes`, and the sources.

    `evidently_page` is the name of Evidently's page in the same folder.
    """
    report = text_report(result)
    first, *checks = report.summary
    parts = [f'<h1 class="{result.verdict.value}">{escape(first)}</h1>', _facts(result)]
    parts += [f"<p>{escape(note)}</p>" for note in report.notes]
    parts += [_KEY] if shapes else []
    for sentence, (check, outcome) in zip(checks, result.checks.items(), strict=True):
        parts.append(f"<h2>{escape(sentence)}</h2>{_check_table(check, outcome, shapes or {})}")
    if result.sources:
        parts.append(f"<h2>By source</h2>{_list(report.source_summary)}{_text_table(report.source_columns)}")
    if evidently_page is not None:
        parts.append(f'<p><a href="{escape(quote(evidently_page))}">Evidently\'s report</a></p>')
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Drift check: {result.verdict.value}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


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
        f"{_list((*checks, *report.source_summary, *report.notes))}"
        f'<table style="border-collapse:collapse"><tr>{headings}</tr>{"".join(rows)}</table></section>'
    )


def _facts(result: DriftResult) -> str:
    facts = {
        "checked at": format_time(result.at),
        "model": result.model,
        "source": result.source,
        "reference holds": result.reference.kind,
    }
    said = [f"{name} {escape(fact)}" for name, fact in facts.items() if fact]
    return f'<p class="faint">{" · ".join(said)}</p>'


def _check_table(check: Check, outcome: CheckResult, shapes: Shapes) -> str:
    drawn = any((check, column.column) in shapes for column in outcome.columns)
    headings = (*HEADINGS[:-1], *(("distributions",) if drawn else ()), HEADINGS[-1])
    rows = []
    for _, column in ranked({check: outcome}):
        name, verdict, *figures, why = map(escape, column_figures(check, column))
        shape = shapes.get((check, column.column))
        cells = [f"<th>{name}</th>", f'<td class="{column.verdict.value}">{verdict}</td>']
        cells += [f"<td>{figure}</td>" for figure in figures]
        cells += [f"<td>{_drawing(shape)}</td>"] if drawn else []
        rows.append(f"<tr>{''.join(cells)}<td>{why}</td></tr>")
    return _table(headings, rows)


def _drawing(shape: ColumnShape | None) -> str:
    if shape is None:
        return ""
    return f"{distribution_svg(shape)}<details><summary>figures</summary>{distribution_table(shape)}</details>"


def _text_table(table: Table) -> str:
    rows = (f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in table.rows)
    return _table(table.headings, rows) if table.rows else ""


def _table(headings: Sequence[str], rows: Iterable[str]) -> str:
    titles = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    return f'<div class="wide"><table><tr>{titles}</tr>{"".join(rows)}</table></div>'


def _list(sentences: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(sentence)}</li>' for sentence in sentences)}</ul>" if sentences else ""
