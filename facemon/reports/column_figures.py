"""What was found of one column, in words and figures that are the same in every report."""

from facemon.domain.drift_result import Check, ColumnResult, Verdict

HEADINGS = ("column", "verdict", "shift", "limit", "p", "rows", "why")


def column_figures(check: Check, column: ColumnResult) -> tuple[str, ...]:
    """The cells below `HEADINGS`; each is one line."""
    return (
        one_line(column.column),
        column.verdict.value.replace("_", " "),
        _amount(column.score, check, column),
        _amount(column.threshold, check, column) if column.score is not None else "",
        _probability(check, column),
        f"{column.n_reference:,} / {column.n_current:,}",
        one_line(column.reason or _why(column)),
    )


def column_sentence(check: Check, column: ColumnResult) -> str:
    """The same cells, without name and verdict, as one sentence; what is not known is left out."""
    _, _, score, threshold, probability, rows, why = column_figures(check, column)
    names = ("shift", "limit", "adjusted p") if check.is_own else (column.method or "score", "limit", "p")
    said = [f"{name} {cell}" for name, cell in zip(names, (score, threshold, probability), strict=True) if cell]
    numbers = ", ".join([*said, f"{rows} rows"])
    return f"{numbers}: {why}" if why else numbers


def is_in_points(check: Check, column: ColumnResult) -> bool:
    """Whether a score is a shift of shares, said in percentage points; else it is a KS distance, or Evidently's."""
    return check.is_own and column.kind in ("categorical", "accuracy")


def one_line(text: str) -> str:
    """Text that neither breaks a line nor steers a terminal."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _why(column: ColumnResult) -> str:
    if column.verdict is Verdict.DRIFT and column.p_adjusted is None:
        return column.test or ""
    if column.window is None:
        return ""
    clear = f"; no longer in {', '.join(column.clear_windows)}" if column.clear_windows else ""
    return f"over {column.window}{clear}"


def _amount(score: float | None, check: Check, column: ColumnResult) -> str:
    """A shift of shares in percentage points; a KS distance, or Evidently's number, as it is."""
    if score is None:
        return ""
    if is_in_points(check, column):
        return f"{100 * score:z.1f} pts"
    return f"{score:z.3f}"


def _probability(check: Check, column: ColumnResult) -> str:
    p_value = column.p_adjusted if check.is_own else column.p_value
    if p_value is None:
        return ""
    if p_value < 1e-99:
        return "<1e-99"
    return f"{p_value:.3f}" if p_value >= 0.001 else f"{p_value:.0e}"
