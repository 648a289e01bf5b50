"""The status of a store as a page of HTML without a script; its style is a file that the server has."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from html import escape

from facemon.domain.drift_result import Check
from facemon.reports.store_status import CheckStatus, ColumnStatus, CommandStatus, SourceStatus, Standing, StoreStatus

_REFRESH_SECONDS = 60
_WORDS = {
    Standing.DOWN: "down", Standing.DRIFT: "drift", Standing.SILENT: "silent", Standing.UNDECIDED: "undecided",
    Standing.OLD: "too old", Standing.UNREACHABLE: "down", Standing.OK: "no drift",
}  # fmt: skip
_HEADLINES = {
    Standing.DOWN: "A source of metrics cannot be read",
    Standing.DRIFT: "Drift was found",
    Standing.SILENT: "A source has gone silent",
    Standing.UNDECIDED: "A check could not decide",
    Standing.OLD: "The last check is too old",
    Standing.UNREACHABLE: "A service is down",
    Standing.OK: "No drift in the last checks",
}
_UNKNOWN = '<span class="faint">-</span>'
_DAY, _HOUR, _MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def status_page(status: StoreStatus, *, refreshes: bool = False) -> str:
    """Return the page; with `refreshes` the browser loads it again each minute, which its reader has asked for."""
    again = f'<meta http-equiv="refresh" content="{_REFRESH_SECONDS}">\n' if refreshes else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n{again}'
        f"<title>{escape(_headline(status))} - facemon</title>\n"
        '<link rel="icon" href="pages/icon.svg" type="image/svg+xml">\n<link rel="stylesheet" href="pages/style.css">\n'
        f"</head>\n<body>\n{_header(status, refreshes=refreshes)}\n<main>\n"
        f"{''.join(_sections(status))}</main>\n</body>\n</html>\n"
    )


def _header(status: StoreStatus, *, refreshes: bool) -> str:
    place = "".join(f' <span class="chip">{escape(f"{name}={text}")}</span>' for name, text in status.place.items())
    again = '<a href="./">Stop refreshing</a>' if refreshes else '<a href="?refresh">Refresh each minute</a>'
    return (
        f'<header><p class="brand"><img src="pages/icon.svg" alt="" width="28" height="28"> facemon{place}</p>'
        f'<nav aria-label="Page"><a href="{"?refresh" if refreshes else "./"}">Refresh now</a> {again} '
        '<a href="metrics">Metrics</a></nav></header>'
    )


def _headline(status: StoreStatus) -> str:
    if not status.is_readable:
        return "The store cannot be read"
    if status.standing is Standing.UNDECIDED and not any(each.ran or each.columns for each in status.checks):
        return "No drift check yet"
    return _HEADLINES[status.standing]


def _sections(status: StoreStatus) -> Iterator[str]:
    standing = status.standing if status.is_readable else Standing.DOWN
    yield (
        f'<section class="summary {standing.value}"><h1>{escape(_headline(status))}</h1>'
        f"{_findings(status)}<p>As of {_moment(status.at)}.</p></section>\n"
    )
    if not status.is_readable:
        yield "<p>Nothing is known of predictions and drift. <code>facemon store info</code> says why.</p>\n"
    else:
        yield _section("Drift checks", _checks(status))
        yield _section("Sources", _sources(status)) if status.sources else ""
        yield _section("Columns", _columns(status)) if status.columns else ""
        yield _section("Images and predictions", _counters(status))
        yield _section("Last runs", _commands(status)) if status.commands else ""
    yield _section("Services and sources of metrics", _services(status))
    version = f"facemon {escape(status.version)} · " if status.version else ""
    yield f'<p class="faint">{version}the numbers are those of <a href="metrics">/metrics</a> at this moment</p>\n'


def _findings(status: StoreStatus) -> str:
    """What is not well, as sentences; the tables below say more."""
    said = [f"source of metrics {name} cannot be read" for name, is_read in status.metrics.items() if not is_read]
    said += [f"service {name} is down" for name, is_up in status.services.items() if not is_up]
    said += [
        f"{each.check} check of {each.model or 'the log'}: {_verdict(each)}"
        for each in status.checks
        if each.standing is not Standing.OK
    ]
    for standing in (Standing.DRIFT, Standing.SILENT, Standing.UNDECIDED):
        if names := sorted({each.source for each in status.sources if each.standing is standing}):
            rest = f" and {len(names) - 5} more" if len(names) > 5 else ""
            state = "with drift" if standing is Standing.DRIFT else _WORDS[standing]
            said.append(f"{_plural(len(names), 'source')} {state}: {', '.join(names[:5])}{rest}")
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in said)}</ul>" if said else ""


def _verdict(check: CheckStatus) -> str:
    unit = "attribute" if check.check == Check.MODEL else "column"
    match check.standing:
        case Standing.DRIFT:
            return f"drift in {check.drifted} of {_plural(check.columns, unit)}"
        case Standing.UNDECIDED if check.columns:
            return f"undecided in {check.undecided} of {_plural(check.columns, unit)}"
        case Standing.UNDECIDED:
            return "nothing was compared" if check.ran else "never ran"
        case Standing.OLD:
            return "no drift when it last ran, which is too long ago"
        case _:
            return f"no drift in {_plural(check.columns, unit)}"


def _checks(status: StoreStatus) -> str:
    def cells(each: CheckStatus) -> tuple[str, ...]:
        ran = _age(status.at, each.ran) if each.ran else "the model predicts no more" if each.columns else "never"
        decided = _age(status.at, each.decided) if each.decided else "never"
        return _badge(each.standing), escape(each.check), escape(each.model), escape(_verdict(each)), ran, decided

    if not status.checks:
        return "<p>There is none: <code>facemon drift-check</code> runs it.</p>"
    headings = ("verdict", "check", "model", "found", "last run", "last decided")
    return _table("Drift checks", headings, map(cells, status.checks))


def _sources(status: StoreStatus) -> str:
    def cells(each: SourceStatus) -> tuple[str, ...]:
        rows = _number(each.rows)
        return _badge(each.standing), escape(each.source), escape(each.check), escape(each.model), rows

    headings = ("verdict", "source", "check", "model", "rows in the last check")
    return _urgent_first("source", headings, [(each.standing, cells(each)) for each in status.sources])


def _columns(status: StoreStatus) -> str:
    def cells(each: ColumnStatus) -> tuple[str, ...]:
        scores = (each.score, each.confidence_score, each.threshold, each.p_value)
        names = (escape(each.attribute), escape(each.check), escape(each.model))
        return _badge(each.standing), *names, *map(_score, scores), _number(each.rows)

    headings = ("verdict", "column", "check", "model", "score", "confidence score", "threshold", "p-value", "rows")
    return _urgent_first("column", headings, [(each.standing, cells(each)) for each in status.columns])


def _urgent_first(noun: str, headings: Sequence[str], rows: Sequence[tuple[Standing, Sequence[str]]]) -> str:
    """A table of those that need a look, then one of the rest, which is folded."""
    urgent = [cells for standing, cells in rows if standing is not Standing.OK]
    well = [cells for standing, cells in rows if standing is Standing.OK]
    shown = _table(f"{noun.capitalize()}s with drift, silent or undecided", headings, urgent) if urgent else ""
    if well:
        table = _table(f"{noun.capitalize()}s without drift", headings, well)
        shown += f"<details><summary>{_plural(len(well), noun)} without drift</summary>{table}</details>"
    return shown


def _counters(status: StoreStatus) -> str:
    counted = status.counters
    facts = [(f"images: {name.replace('_', ' ')}", _number(count)) for name, count in counted.images.items()]
    facts += [
        (f"mean inference, {model}", f"{1000 * mean:.3g} ms") for model, mean in counted.inference_seconds.items()
    ]
    figures = "".join(f"<div><dt>{escape(name)}</dt><dd>{text}</dd></div>" for name, text in facts)
    rows = []
    for (model, attribute), by_value in counted.predictions.items():
        share, labels = counted.accuracy.get((model, attribute), (None, None))
        right = _UNKNOWN if share is None else f"{100 * share:.1f} %"
        top = sorted(by_value.items(), key=lambda pair: -pair[1])[:3]
        most = ", ".join(f"{value} {count:,.0f}" for value, count in top if count)
        counts = _number(sum(by_value.values())), escape(most) or _UNKNOWN
        rows.append((escape(attribute), escape(model), *counts, right, _number(labels)))
    headings = ("attribute", "model", "predictions", "most frequent", "accuracy", "true labels")
    return f"<dl>{figures}</dl>" + (_table("Predictions", headings, rows) if rows else "")


def _commands(status: StoreStatus) -> str:
    def cells(each: CommandStatus) -> tuple[str, ...]:
        succeeded = _age(status.at, each.succeeded) if each.succeeded else "never"
        took = _UNKNOWN if each.seconds is None else f"{each.seconds:.3g} s"
        return f"<code>{escape(each.command)}</code>", succeeded, took

    return _table("Last runs", ("command", "last success", "took"), map(cells, status.commands))


def _services(status: StoreStatus) -> str:
    kinds = (("source of metrics", Standing.DOWN, status.metrics), ("service", Standing.UNREACHABLE, status.services))
    each = sorted((is_up, name, what, bad) for what, bad, found in kinds for name, is_up in found.items())
    rows = [
        (_badge(Standing.OK if is_up else bad, "up" if is_up else "down"), escape(name), what)
        for is_up, name, what, bad in each
    ]
    return _table("Services and sources of metrics", ("state", "name", "kind"), rows)


def _section(title: str, body: str) -> str:
    return f"<section><h2>{title}</h2>{body}</section>\n"


def _table(caption: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a narrow screen shows each row as a list, and the roles keep it a table for screen readers."""
    head = "".join(f'<th role="columnheader" scope="col">{escape(heading)}</th>' for heading in headings)
    body = "".join(
        '<tr role="row">'
        + "".join(
            f'<td role="cell" data-heading="{escape(heading)}">{cell}</td>'
            for heading, cell in zip(headings, row, strict=True)
        )
        + "</tr>\n"
        for row in rows
    )
    return (
        f'<table role="table" class="stacked"><caption class="unseen">{escape(caption)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>\n<tbody role="rowgroup">{body}</tbody></table>'
    )


def _badge(standing: Standing, word: str | None = None) -> str:
    return f'<span class="badge {standing.value}">{word or _WORDS[standing]}</span>'


def _age(now: datetime, then: datetime) -> str:
    return f"{_ago(now - then)}<br><small>{_moment(then)}</small>"


def _ago(age: timedelta) -> str:
    """An age in its largest unit, rounded down."""
    if age < timedelta(0):
        return "just now" if age > -_MINUTE else "in the future: a clock is wrong"
    for unit, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if count := age // unit:
            return f"{_plural(count, name)} ago"
    return "just now"


def _moment(time: datetime) -> str:
    return f'<time datetime="{time:%Y-%m-%dT%H:%M:%SZ}">{time:%Y-%m-%d %H:%M:%S} UTC</time>'


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _number(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:,.0f}"


def _score(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.3g}"
