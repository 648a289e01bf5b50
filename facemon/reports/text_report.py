"""A drift result as rows of plain text and sentences; how they are drawn is the console's business."""

from dataclasses import dataclass

from facemon.values.drift_result import Check, CheckResult, ColumnResult, DriftResult, Side, Verdict

HEADINGS = ("check", "column", "verdict", "shift", "limit", "p", "rows", "why")
_ORDER = (Verdict.DRIFT, Verdict.UNDECIDED, Verdict.OK, Verdict.NOT_COMPARED)


@dataclass(frozen=True, slots=True)
class TextReport:
    """A table below `HEADINGS`, and what to say above and below it."""

    summary: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def text_report(result: DriftResult, *, with_ok: bool = True) -> TextReport:
    """Drifted columns first, then undecided ones; `with_ok` also lists those with nothing to say."""
    rows = [
        (_ORDER.index(column.verdict), _row(check, column))
        for check, outcome in result.checks.items()
        for column in outcome.columns
        if with_ok or column.verdict in (Verdict.DRIFT, Verdict.UNDECIDED)
    ]
    rows.sort(key=lambda entry: entry[0])
    summary = [_headline(result)]
    summary += [_check_sentence(check, outcome) for check, outcome in result.checks.items()]
    return TextReport(tuple(summary), tuple(row for _, row in rows), result.notes)


def _headline(result: DriftResult) -> str:
    said = {
        Verdict.DRIFT: "Drift.",
        Verdict.UNDECIDED: "Undecided: this data cannot tell.",
        Verdict.OK: "No drift.",
        Verdict.NOT_COMPARED: "Nothing was compared.",
    }[result.verdict]
    return f"{said} {_side(result.current, 'Current')}, {_side(result.reference, 'reference')}."


def _side(side: Side, title: str) -> str:
    name = f" {side.name}" if side.name else ""
    days = ""
    if side.since and side.until:
        days = f" from {side.since:%Y-%m-%d %H:%M} to {side.until:%Y-%m-%d %H:%M}"
    return f"{title}{name}: {side.rows:,} rows{days}"


def _check_sentence(check: Check, outcome: CheckResult) -> str:
    counts = dict.fromkeys(_ORDER, 0)
    for column in outcome.columns:
        counts[column.verdict] += 1
    names = {
        Verdict.DRIFT: "drifted",
        Verdict.UNDECIDED: "undecided",
        Verdict.OK: "ok",
        Verdict.NOT_COMPARED: "not compared",
    }
    parts = [f"{counts[verdict]} {names[verdict]}" for verdict in _ORDER if counts[verdict]]
    return f"{check.value}: {outcome.verdict.value} ({', '.join(parts) or 'no columns'})"


def _row(check: Check, column: ColumnResult) -> tuple[str, ...]:
    is_ours = check is not Check.EVIDENTLY
    return (
        check.value,
        column.column,
        column.verdict.value.replace("_", " "),
        _amount(column.score, column, is_ours),
        _amount(column.threshold, column, is_ours) if column.score is not None else "",
        _probability(column.p_adjusted if is_ours else column.p_value),
        f"{column.n_reference:,} / {column.n_current:,}",
        column.reason or _why(column),
    )


def _why(column: ColumnResult) -> str:
    if column.verdict is Verdict.DRIFT and column.p_adjusted is None:
        return column.test or ""
    return ""


def _amount(score: float | None, column: ColumnResult, is_ours: bool) -> str:
    """A shift of shares in percentage points; a KS distance, or Evidently's number, as it is."""
    if score is None:
        return ""
    if is_ours and column.kind in ("categorical", "accuracy"):
        return f"{100 * score:.1f} pts"
    return f"{score:.3f}"


def _probability(p_value: float | None) -> str:
    if p_value is None:
        return ""
    if p_value < 1e-99:
        return "<1e-99"
    return f"{p_value:.3f}" if p_value >= 0.001 else f"{p_value:.0e}"
