"""A drift result as one page of HTML that needs nothing from outside."""

from collections.abc import Mapping
from html import escape

from facemon.reports.text_report import HEADINGS, text_report
from facemon.values.column_shape import ColumnShape
from facemon.values.drift_result import Check, DriftResult


def html_report(result: DriftResult, shapes: Mapping[tuple[Check, str], ColumnShape] | None = None) -> str:
    """The whole page; columns that have a shape are drawn."""
    _ = shapes or {}
    body = verdict_table_html(result)
    return f'<!DOCTYPE html>\n<html lang="en"><meta charset="utf-8"><title>Drift</title>\n<body>{body}</body></html>\n'


def verdict_table_html(result: DriftResult) -> str:
    """The sentences and the table alone, to stand on top of somebody else's page."""
    report = text_report(result)
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in (*report.summary, *report.notes))
    rows = [f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in report.rows]
    headings = "".join(f"<th>{heading}</th>" for heading in HEADINGS)
    return f"{said}<table><tr>{headings}</tr>{''.join(rows)}</table>"
