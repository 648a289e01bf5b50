"""Numbers as people write them: what a text means as a number, and columns of text that are such numbers."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from facemon.errors import FacemonError

_NEARLY_ALL = 0.95
"""The share of cells from which on a column of text is one of numbers with a few faults."""
_CURRENCY = r"(?:[€$£¥₹₩₽₺₪₫฿]|EUR|USD|GBP|CHF|JPY|CNY|INR|Fr\.|zł|kr)"
_MARKS = "'\u2019 \u00a0\u2009\u202f"
"""Apostrophes and spaces between thousands."""
OTHER_DECIMAL = {".": ",", ",": "."}
_MINUS = "\u2212"
_NUMBER = r"""
    (?P<sign>[+-]?) \s* (?:{currency}\s*)? (?P<inner>[+-]?)
    (?:
        (?P<whole>
            [1-9]\d{{0,2}} (?P<mark>[{marks}]) \d{{3}} (?:(?P=mark)\d{{3}})*
          | [1-9]\d? (?:,\d\d)+ ,\d{{3}}
          | \d+
        )
        (?:[{decimal}](?P<part>\d*))?
      | [{decimal}](?P<only>\d+)
    )
    (?P<power>[eE][+-]?\d+)? (?:\s*(?:[%‰]|{currency}))?
"""
"""Thousands are parted by one and the same mark, and nothing but it: 1.2.3 and 044 123 are no numbers."""
_PATTERNS = {
    decimal: re.compile(
        _NUMBER.format(currency=_CURRENCY, marks=re.escape(f"{thousands}{_MARKS}"), decimal=decimal), re.VERBOSE
    )
    for decimal, thousands in ((".", ","), (",", "."))
}
_PLAIN = {
    ".": re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf|infinity)", re.IGNORECASE),
    ",": re.compile(r"[+-]?(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf|infinity)", re.IGNORECASE),
}


def number_of(text: str | None, decimal: str = ".") -> float:
    """The number that a text is, NaN where it is none.

    Marks between thousands, percent and currency signs are read over: 3.5% is 3.5.
    """
    if not text:
        return math.nan
    text = text.strip().replace(_MINUS, "-")
    if _PLAIN[decimal].fullmatch(text):
        return float(text.replace(",", "."))
    is_negative = text.startswith("(") and text.endswith(")")
    match = _PATTERNS[decimal].fullmatch(text[1:-1] if is_negative else text)
    if match is None or (match["sign"] and match["inner"]):
        return math.nan
    whole = re.sub(r"\D", "", match["whole"] or "0")
    number = float(f"{whole}.{match['part'] or match['only'] or 0}{match['power'] or ''}")
    return -number if is_negative or "-" in (match["sign"], match["inner"]) else number


def plain_number(text: str, decimal: str) -> float:
    """The number that a text is in digits alone, NaN where it is none: 3.5 but not 3.5%.

    With a decimal comma a point is a decimal sign too, as other formats than CSV write it, unless it may part
    thousands: 26.5 but not 26.500.
    """
    text = text.strip().replace(_MINUS, "-")
    if _PLAIN[decimal].fullmatch(text):
        return float(text.replace(",", "."))
    if decimal == "," and _PLAIN["."].fullmatch(text) and math.isnan(number_of(text, decimal)):
        return float(text)
    return math.nan


def numbers_in(texts: Sequence[str | None], decimal: str) -> list[float]:
    """The numbers that the texts of one column are, NaN for those that are none.

    Of the two decimal signs that one counts by which more of the texts are numbers, the given one if it makes no
    difference: a column is written in one way, whatever the rest of its file is.
    """
    numbers = [number_of(text, decimal) for text in texts]
    if any(math.isnan(number) for number in numbers):
        others = [number_of(text, OTHER_DECIMAL[decimal]) for text in texts]
        if sum(map(math.isnan, others)) < sum(map(math.isnan, numbers)):
            return others
    return numbers


@dataclass(frozen=True, slots=True)
class _ForeignNumbers:
    """Why a column of text is one of numbers in a notation that was not asked for."""

    share: float
    """Share of the cells that are numbers."""
    example: str
    decimal: str | None
    """The decimal sign by which they are, where it is the other one; then, or where it may be, `settles` says so."""
    is_ambiguous: bool = False
    """Whether the other sign parts thousands or decimals."""


def foreign_numbers(cells: Mapping[str, int], decimal: str) -> _ForeignNumbers | None:
    """What is to be said of a column's distinct texts with their counts; none where they are labels or plain."""
    given = {text: count for text, count in cells.items() if text}
    total = sum(given.values())
    other = OTHER_DECIMAL[decimal]
    read = {sign: [text for text in given if not math.isnan(number_of(text, sign))] for sign in (decimal, other)}
    sums = {sign: sum(given[text] for text in texts) for sign, texts in read.items()}
    best = other if sums[other] > sums[decimal] else decimal
    strange = next((text for text in read[best] if not _PLAIN[decimal].fullmatch(text.strip())), None)
    if strange is None or sums[best] < _NEARLY_ALL * total:
        return None
    is_ambiguous = sums[other] == sums[decimal] and any(other in text for text in given)
    if is_ambiguous:
        strange = next(text for text in given if other in text)
    return _ForeignNumbers(sums[best] / total, strange, other if best == other else None, is_ambiguous)


def refuse_foreign_numbers(
    where: str, column: str, cells: Mapping[str, int], decimal: str, *, declarable: bool = True
) -> None:
    """FacemonError if a column of text is one of numbers in another notation, with the key to set.

    `where` is the file; `declarable` says whether `tables.kinds` may name the column.
    """
    found = foreign_numbers(cells, decimal)
    if found is None:
        return
    other = OTHER_DECIMAL[decimal]
    comma = f'tables.csv.decimal: "{other}"'
    kinds = f"tables.kinds: {{{column}: numerical}}"
    either = f"{kinds}, or categorical to compare the cells as labels" if declarable else "write plain numbers"
    if found.decimal is not None:
        hint = f"set {comma} for a CSV file, which holds for both sides; or {either}"
    elif found.is_ambiguous:
        hint = f"set {comma} if {other!r} is the decimal sign; if it parts thousands, {either}"
    else:
        hint = f"set {either}" if declarable else either
    raise FacemonError(
        f"{where}: column {column} holds numbers in another notation, such as {found.example!r}"
        f" ({found.share:.0%} of its cells are numbers)",
        hint,
    )
