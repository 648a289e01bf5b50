"""Thumbnails inside a page: the images where columns have grown most beside the reference."""

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from itertools import groupby

from facemon.domain.period_report import Beside, Thumbnail
from facemon.reports.column_figures import one_line

STYLE = """
.images { display: flex; flex-wrap: wrap; gap: .8rem; margin: .5rem 0 1.2rem; padding: 0; list-style: none; }
.images li { width: 9.5rem; font-size: .85em; overflow-wrap: anywhere; break-inside: avoid; }
.images img { display: block; max-width: 100%; height: auto; }
"""


def thumbnails_html(thumbnails: Sequence[Thumbnail], beside: Beside) -> str:
    """The images of each column under its name; without any, why there are none."""
    title = "<h2>Images that moved most</h2>"
    if not thumbnails:
        return f"{title}<p>No column has grown anywhere beside the reference.</p>"
    since, until = (f"{time:%Y-%m-%d %H:%M}" for time in (beside.since, beside.until))
    parts = [f"{title}<p>The newest images from {since} to {until} UTC in the group of a column that grew most.</p>"]
    for (column, group), held in groupby(thumbnails, key=lambda each: (each.column, each.group)):
        items = "".join(map(_item, held))
        parts.append(f'<h3>{escape(one_line(column))}: {escape(one_line(group))}</h3><ul class="images">{items}</ul>')
    return "".join(parts)


def _item(each: Thumbnail) -> str:
    name = escape(one_line(each.image))
    picture = ""
    if each.jpeg is not None:
        picture = f'<img src="data:image/jpeg;base64,{b64encode(each.jpeg).decode()}" alt="{name}">'
    why = f"<br>{escape(one_line(each.trouble))}" if each.trouble else ""
    return f"<li>{picture}{name}<br>{each.observed_at:%Y-%m-%d %H:%M}, {escape(one_line(each.value))}{why}</li>"
