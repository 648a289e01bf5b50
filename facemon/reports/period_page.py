"""The report of a period as one page of HTML without scripts and without anything from outside."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from html import escape

from facemon.domain.drift_result import DriftResult, Verdict
from facemon.domain.period_report import Accuracy, ColumnBeside, PeriodReport
from facemon.domain.times import span_name
from facemon.reports.charts.accuracy import accuracy_figure
from facemon.reports.charts.daily import NO_SOURCE, failure_figure, source_table, volume_figure
from facemon.reports.charts.distributions import KEY as SIDES
from facemon.reports.charts.distributions import beside_figure
from facemon.reports.charts.drift_history import KEY as VERDICTS
from facemon.reports.charts.drift_history import Span, histories, score_figure, verdict_figure
from facemon.reports.charts.figure import PAGE_STYLE, figure_html, key_html
from facemon.reports.column_figures import column_sentence, one_line
from facemon.reports.other_models import other_models_html
from facemon.reports.page_parts import list_html, page_html, table_html
from facemon.reports.plan_report import plan_facts
from facemon.reports.printed_parts import Table
from facemon.reports.thumbnails import STYLE as THUMBNAILS
from facemon.reports.thumbnails import thumbnails_html

_MOST_CHARTS = 40
"""Of columns over time; the page names the others."""
_STYLE = """
.facts { display: flex; flex-wrap: wrap; gap: .6rem 2.2rem; margin: 1rem 0; padding: 0; }
.facts div { min-width: 7rem; } .facts dt { color: var(--faint); font-size: .85em; }
.facts dd { margin: 0; font-size: 1.25rem; }
"""


def period_page(report: PeriodReport) -> str:
    """The whole page."""
    return page_html(f"facemon report: {one_line(report.model)}", PAGE_STYLE + THUMBNAILS + _STYLE, _sections(report))


def _sections(report: PeriodReport) -> Iterator[str]:
    yield _head(report)
    yield other_models_html(report)
    yield _volumes(report)
    if report.marks:
        yield _marks(report)
    yield _drift(report)
    yield _open_questions(report)
    yield _columns(report)
    yield _accuracy(report)
    if report.thumbnails is not None:
        yield thumbnails_html(report.thumbnails, report.beside)
    yield _origin(report)


def _head(report: PeriodReport) -> str:
    named = f" · source {escape(one_line(report.source))}" if report.source is not None else ""
    counted = _count(report.images, "image")
    failed = sum(each.failed for each in report.volumes)
    no_face = sum(each.no_face for each in report.volumes)
    last = report.checks[-1] if report.checks else None
    drifted = sum(each.verdict is Verdict.DRIFT for each in report.checks)
    undecided = sum(each.verdict is Verdict.UNDECIDED for each in report.checks)
    verdict = "none" if last is None else f'<span class="{last.verdict.value}">{last.verdict.value}</span>'
    facts = {
        "images": escape(counted.removesuffix(" images").removesuffix(" image")),
        "could not be read": _share(failed, report.images),
        "no face found": _share(no_face, report.images),
        "recorded checks": f"{len(report.checks):,}",
        "of these drift": f"{drifted:,}",
        "of these undecided": f"{undecided:,}",
        "last verdict": verdict,
    }
    said = "".join(f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in facts.items())
    return (
        f"<h1>{escape(one_line(report.model))}: {_day(report.since)} to {_day(report.until)}</h1>"
        f'<p class="faint">facemon report{named} · {_time(report.since)} to {_time(report.until)} UTC · '
        f'made at {_time(report.made_at)} UTC</p><dl class="facts">{said}</dl>'
    )


def _volumes(report: PeriodReport) -> str:
    if not report.volumes:
        return f"<h2>Volumes and failures</h2><p>The log has no images of {_model(report)} in this period.</p>"
    partial = report.since.hour or report.until.hour
    note = '<p class="faint">The first or the last day is not a whole one.</p>' if partial else ""
    figures = figure_html(volume_figure(report)) + figure_html(failure_figure(report))
    return f"<h2>Volumes and failures</h2>{note}{figures}{table_html(source_table(report), 'Images by source')}"


def _marks(report: PeriodReport) -> str:
    rows = tuple(
        (str(number), _time(mark.at), mark.kind.value, one_line(mark.name), one_line(mark.note))
        for number, mark in enumerate(report.marks, 1)
    )
    table = table_html(Table(("mark", "time (UTC)", "what began", "name", "note"), rows), "Marks in the charts")
    return f"<h2>References and models</h2><p>Dashed lines in the charts over time.</p>{table}"


def _drift(report: PeriodReport) -> str:
    title = "<h2>Drift over time</h2>"
    if not any(check.is_own for each in report.checks for check in each.checks):
        command = "<code>facemon drift-check</code> makes one"
        return f"{title}<p>No check of {_model(report)} was recorded in this period: {command}.</p>"
    span = Span(report.since, report.until, report.marks)
    found = histories(report.checks)
    charts = "".join(figure_html(score_figure(at, each, span)) for at, each in enumerate(found[:_MOST_CHARTS], 1))
    left = [f"{one_line(each.column)} ({each.check.value})" for each in found[_MOST_CHARTS:]]
    rest = (
        f"<p>Not drawn, because they are further from their thresholds: {escape(', '.join(left))}.</p>" if left else ""
    )
    note = (
        "The line is the shift from the reference, the dashed line its threshold. Bands have the colour of the "
        "verdict; texts name the window that it rests on, where that changes."
    )
    return (
        f"{title}{figure_html(verdict_figure(report.checks, span))}<h3>Columns, nearest their thresholds first</h3>"
        f'<p class="faint">{note}</p>{key_html(VERDICTS[:3])}<div class="grid">{charts}</div>{rest}'
    )


def _open_questions(report: PeriodReport) -> str:
    """What was late, undecided or silent, and what it would take."""
    last = next((each for each in reversed(report.checks) if any(check.is_own for check in each.checks)), None)
    parts = ["<h2>Late, undecided and silent</h2>"]
    late, whose = [], "" if report.source is None else " of all sources"
    if report.late_rows:
        rows, before = f"{_count(report.late_rows, 'row')}{whose}", f"{_time(report.beside.since)} UTC"
        late.append(f"{rows} arrived since the last recorded check, for times before {before}.")
    seen = [each for each in report.checks if each.late_rows]
    late += [
        f"The check of {_time(each.at)} found {_count(each.late_rows or 0, 'late row')}{whose}." for each in seen[-10:]
    ]
    parts.append(f"<h3>Late</h3>{list_html(late) or _none_late(report)}")
    parts.append(f"<h3>Undecided</h3>{_undecided(report, last)}")
    parts.append(f"<h3>Silent</h3>{_silent(report, last)}")
    if report.plan is not None:
        facts = Table(("what", "value"), tuple(plan_facts(report.plan)))
        parts.append(f"<h3>What the checks need to decide</h3>{table_html(facts, 'What the checks need to decide')}")
    return "".join(parts)


def _undecided(report: PeriodReport, last: DriftResult | None) -> str:
    if last is None:
        return f"<p>No check of {_model(report)} was recorded in this period.</p>"
    found = [
        f"{one_line(column.column)} ({check.value}): {column_sentence(check, column)}"
        for check, outcome in last.checks.items()
        for column in outcome.columns
        if check.is_own and column.verdict is Verdict.UNDECIDED
    ]
    notes = list_html([one_line(note) for note in last.notes])
    if report.source is not None and last.sources:
        return _undecided_source(last)
    if not found:
        return f"<p>The last check, of {_time(last.at)}, left no column undecided.</p>{notes}"
    return f"<p>In the last check, of {_time(last.at)}:</p>{list_html(found)}{notes}"


def _undecided_source(last: DriftResult) -> str:
    """What a check of all sources says of one; the history does not keep which of its columns were undecided."""
    verdict = "is undecided" if last.verdict is Verdict.UNDECIDED else f"has the verdict {last.verdict.value}"
    return (
        f"<p>In the last check, of {_time(last.at)}, this source {verdict}. The records of checks of all sources keep "
        "only the drifted columns of each source: <code>facemon drift-check --source NAME</code> names the undecided "
        "ones.</p>"
    )


def _silent(report: PeriodReport, last: DriftResult | None) -> str:
    silent = [] if last is None else [each for each in last.sources if each.is_silent]
    said = [
        f"{one_line(each.source or NO_SOURCE)}: no rows in the window of the last check, {each.reference_rows:,} in "
        f"the reference; last seen {_time(each.last_seen) if each.last_seen else 'at an unknown time'}."
        for each in silent
    ]
    final = (report.until - timedelta(microseconds=1)).date()
    days = {each.source: max(other.day for other in report.volumes if other.source == each.source)
            for each in {volume.source: volume for volume in report.volumes}.values()}  # fmt: skip
    said += [
        f"{one_line(NO_SOURCE if source is None else source)}: no images of {one_line(report.model)} after {day}."
        for source, day in days.items()
        if (final - day).days > 1 and source not in {each.source for each in silent}
    ]
    return list_html(said) or f"<p>No source of {_model(report)} is known to be silent.</p>"


def _columns(report: PeriodReport) -> str:
    beside = report.beside
    span = f"{_time(beside.since)} to {_time(beside.until)} UTC, {span_name(beside.until - beside.since)}"
    title = "<h2>Columns now beside the reference</h2>"
    if not beside.columns:
        return f"{title}<p>Nothing can be compared ({span}): {escape(one_line(beside.trouble or 'no columns'))}.</p>"
    drawn, lacking = [], []
    for number, column in enumerate(beside.columns, 1):
        if column.shape is None:
            lacking.append(f"{one_line(column.column)}: {_why_not_drawn(column)}.")
            continue
        about = (
            f'<p class="faint">{escape(column.about)} {column.current_rows:,} now, {column.reference_rows:,} in the '
        )
        drawn.append(figure_html(beside_figure(number, column, column.shape, f"{about}reference.</p>")))
    named = escape(one_line(beside.reference or ""))
    return (
        f"{title}<p>Reference <b>{named}</b>; now: {span}.</p>{key_html(SIDES)}"
        f'<div class="grid">{"".join(drawn)}</div>{list_html(lacking)}'
    )


def _why_not_drawn(column: ColumnBeside) -> str:
    if column.reference_rows and column.current_rows:
        return "no value on either side, or values of another kind"
    return "only the reference has it" if column.reference_rows else "the reference does not have it"


def _accuracy(report: PeriodReport) -> str:
    title = "<h2>Accuracy</h2>"
    if report.source is not None:
        return f"{title}<p>Evaluations are of all sources: see the report without --source.</p>"
    by_attribute: dict[str, list[Accuracy]] = {}
    for each in report.accuracy:
        by_attribute.setdefault(each.attribute, []).append(each)
    if not by_attribute:
        said = f"No evaluation of {_model(report)} against true labels was recorded in this period"
        return f"{title}<p>{said}: <code>facemon evaluate</code> makes one.</p>"
    span = Span(report.since, report.until, report.marks)
    charts = (figure_html(accuracy_figure(at, found, span)) for at, found in enumerate(by_attribute.values(), 1))
    said = "<p>Shares of right predictions, with 95 % Wilson intervals.</p>"
    return f'{title}{said}<div class="grid">{"".join(charts)}</div>'


def _origin(report: PeriodReport) -> str:
    rows = tuple((kind, f"{count:,}") for kind, count in sorted(report.origin.records.items()))
    beyond = (
        " alone; no row of the log was read" if report.thumbnails is None else ", and rows and files for the images"
    )
    return (
        f"<h2>What this page was made from</h2><p>Records of the ledger{beyond}.</p>"
        f"{table_html(Table(('records', 'number'), rows), 'Records that this page was made from')}"
        f"<p>SHA-256 over these records: <code>{report.origin.sha256}</code>. The same period of the same store has "
        "the same hash until rows are logged late, superseded or removed, or the configuration of the checks "
        "changes.</p>"
        f"<p>Made by facemon {escape(report.version)} at {_time(report.made_at)} UTC. The page is a record of "
        "monitoring for the technical documentation of Regulation (EU) 2024/1689, Annex IV, points 2(g) and 6.</p>"
    )


def _none_late(report: PeriodReport) -> str:
    return f"<p>No rows of {_model(report)} came too late for a check.</p>"


def _model(report: PeriodReport) -> str:
    return escape(one_line(report.model))


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else "none"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M}"


def _day(time: datetime) -> str:
    return f"{time:%Y-%m-%d}"
