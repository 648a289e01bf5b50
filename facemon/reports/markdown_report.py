"""A drift result as GitHub-flavoured Markdown: for a step's summary, a pull request's comment, a ticket."""

import re
from collections.abc import Sequence

from facemon.domain.drift_result import DriftResult, Verdict
from facemon.reports.printed_parts import Table
from facemon.reports.text_report import text_report

_SPECIAL = re.compile(r"([\\`*_\[\]<>|&~#$])")


def markdown_report(result: DriftResult) -> str:
    """The sentences, the table of columns with drifted ones first, the same by source, and the notes."""
    report = text_report(result)
    first, *checks = report.summary
    blocks = [f"**{_escaped(first)}**", _list(checks), _table(report.columns)]
    blocks += [_list(report.source_summary), _table(report.source_columns), *map(_escaped, report.notes)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _list(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {_escaped(sentence)}" for sentence in sentences)


def _table(table: Table) -> str:
    if not table.rows:
        return ""
    rows = [table.headings, ["---"] * len(table.headings), *(map(_cell, row) for row in table.rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(text: str) -> str:
    return f"**{text}**" if text == Verdict.DRIFT.value else _escaped(text)


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
