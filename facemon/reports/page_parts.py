"""What every page of facemon in HTML consists of: no scripts, and nothing from outside."""

import re
from collections.abc import Iterable, Sequence
from html import escape

from facemon.domain.drift_result import Verdict
from facemon.reports.printed_parts import Table

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}")
_FIGURE = re.compile(r"[-+<]?\d[\d,.]*(e[-+]?\d+)?( (pts|%)| / \d[\d,]*)?")
"""What must not break at its hyphen or its spaces: `3e-53`, `0.2 pts`, `1,200 / 300`."""
_VERDICTS = frozenset(verdict.value for verdict in Verdict)
_STYLE = """
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 74rem; padding: 1rem 1rem 3rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 1.4rem; margin: .5rem 0; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; } h3 { font-size: 1rem; }
p { margin: .4rem 0; max-width: 48rem; } a { color: var(--current); }
table { border-collapse: collapse; font-size: .93em; } .scroll { overflow-x: auto; }
th, td { padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { font-weight: 600; } td.time, td.figure { white-space: nowrap; } td.number { text-align: right;
  font-variant-numeric: tabular-nums; }
.faint, summary { color: var(--faint); } summary { cursor: pointer; padding: .25rem 0; }
.drift { color: var(--drift); font-weight: 600; } .undecided { color: var(--undecided); } .ok { color: var(--ok); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
code { overflow-wrap: anywhere; } :focus-visible { outline: 2px solid var(--current); outline-offset: 2px; }
@page { margin: 14mm; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } h2, h3, figcaption { break-after: avoid; }
  tr { break-inside: avoid; } .scroll { overflow: visible; } details:not([open]) { display: none; } }
"""


def page_html(title: str, style: str, body: Iterable[str]) -> str:
    """A whole page; `style` is beside what all pages have."""
    content = "\n".join(body)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}{style}</style>\n</head>\n"
        f"<body>\n<main>\n{content}\n</main>\n</body>\n</html>\n"
    )


def table_html(table: Table, label: str) -> str:
    """A table of texts with a name for people who hear it; numbers, as `1,234` or `5.1 %`, are set to the right."""
    rows = (f"<tr>{''.join(_cell(text) for text in row)}</tr>" for row in table.rows)
    return rows_html(table.headings, rows, label)


def rows_html(headings: Sequence[str], rows: Iterable[str], label: str) -> str:
    """A table of rows that are HTML; it scrolls by itself where it is wider than the page."""
    titles = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(label)}"><table><thead><tr>{titles}</tr>'
        f"</thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def list_html(sentences: Sequence[str]) -> str:
    """Sentences as a list; nothing where there are none."""
    return f"<ul>{''.join(f'<li>{escape(sentence)}</li>' for sentence in sentences)}</ul>" if sentences else ""


def _cell(text: str) -> str:
    if text in _VERDICTS:
        return f'<td class="{text}">{text}</td>'
    if _TIME.match(text):
        return f'<td class="time">{escape(text)}</td>'
    digits = text.replace(",", "").replace(".", "").removesuffix("%").strip().lstrip("-<")
    if digits.isdigit():
        return f'<td class="number">{escape(text)}</td>'
    return figure_cell(text)


def figure_cell(text: str) -> str:
    """A cell of a table whose text is kept on one line if it is a figure; all other text may wrap."""
    kept = ' class="figure"' if _FIGURE.fullmatch(text) else ""
    return f"<td{kept}>{escape(text)}</td>"
