"""Text that a user gave, as Markdown shows it and not as Markdown reads it."""

import re

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>|~&]|^[#+=-]|^\d+(?=[.)])")
_SPACES = re.compile(r"\s+")


def escaped(text: str) -> str:
    """The text on one line, each character that means something to Markdown or HTML escaped."""
    line = _SPACES.sub(" ", text).strip()
    return _SPECIAL.sub(lambda found: found[0] + "\\" if found[0].isdigit() else "\\" + found[0], line)


def code(text: str, language: str) -> str:
    """A block of code; its fence is longer than any run of backticks inside, which therefore cannot close it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def table(rows: tuple[tuple[str, ...], ...]) -> str:
    """A table, the first row its headings; cells are Markdown."""
    lines = [rows[0], ("---",) * len(rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
