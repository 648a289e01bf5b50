"""The lines of a text manifest as cells: a line that cannot be read gives a fault, and the next line follows."""

import csv
import json
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

LONGEST_LINE = 16 << 20
"""Characters of one line."""
_MOST_LINES_A_ROW = 100
"""Lines that the quoted cells of one row may run over; more are a quotation mark that is not closed."""

AS_BYTES = "surrogateescape"
"""How bytes that are not UTF-8 are kept: names of files may hold any bytes."""

Cells = Mapping[str, Any]
_Line = tuple[int, str | None]
"""A line's number and text; no text where it is longer than LONGEST_LINE."""

_TOO_LONG = f"is longer than {LONGEST_LINE:,} characters"
_UNCLOSED = "a quotation mark is not closed"


class _FaultError(Exception):
    """What is wrong with the row that is being read."""


def text_lines(file: TextIO, other_encoding: str | None) -> Iterator[_Line]:
    """Number and read the lines of a file that is opened as UTF-8 with `AS_BYTES`.

    A line that is not UTF-8 is read in `other_encoding`, where there is one and the line fits it.
    """
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE and line[-1] not in "\r\n":
            while (rest := file.readline(LONGEST_LINE)) and rest[-1] not in "\r\n":
                pass
            yield number, None
        else:
            yield number, line if other_encoding is None else decoded(line, other_encoding)


def json_rows(lines: Iterator[_Line]) -> Iterator[tuple[int, Cells | str]]:
    """Each line's number with its cells, or with what is wrong with it."""
    for number, line in lines:
        if line is None:
            yield number, _TOO_LONG
        elif line.strip():
            yield number, json_cells(line)


def csv_rows(lines: Iterator[_Line], delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """The number of each row's first line with the row, or with what is wrong with it.

    A quotation mark that is not closed would swallow what follows. So after a fault reading goes on at the next line,
    inside the faulty row too.
    """
    feed = _Feed(lines)
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    while True:
        feed.held.clear()
        try:
            row = next(reader)
        except StopIteration:
            return
        except (csv.Error, _FaultError) as error:
            yield feed.held[0][0], _reason(error)
            feed.give_back()
            reader = csv.reader(feed, delimiter=delimiter, strict=True)
            continue
        yield feed.held[0][0], row


class _Feed:
    """What csv.reader reads: lines that can be read again, and a fault where a row does not end."""

    def __init__(self, lines: Iterator[_Line]) -> None:
        self.held: list[_Line] = []
        """The lines of the row that is being read."""
        self._lines = lines
        self._again: deque[_Line] = deque()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines, None)
        if line is None:
            if self.held:
                raise _FaultError(_UNCLOSED)
            raise StopIteration
        text = line[1]
        if text is not None and len(self.held) < _MOST_LINES_A_ROW:
            self.held.append(line)
            return text
        if self.held:
            self._again.appendleft(line)
            raise _FaultError(_UNCLOSED)
        self.held.append(line)
        raise _FaultError(_TOO_LONG)

    def give_back(self) -> None:
        """Let all lines of the row but the first be read once more."""
        self._again.extendleft(reversed(self.held[1:]))


def _reason(error: Exception) -> str:
    if isinstance(error, _FaultError):
        return str(error)
    if "field larger" in str(error):
        return f"has a cell of more than {csv.field_size_limit():,} characters, or {_UNCLOSED}"
    return f"text follows a quotation mark, or {_UNCLOSED}"


def json_cells(line: str) -> Cells | str:
    """Return the cells of a JSON object, or what is wrong with it."""
    try:
        cells = json.loads(line)
    except json.JSONDecodeError:
        return "is not JSON"
    except ValueError:  # Python converts no longer integers
        return "holds a number with too many digits"
    except RecursionError:
        return "is nested too deeply"
    return cells if isinstance(cells, dict) else "is not a JSON object"


def decoded(line: str, encoding: str) -> str:
    """Read text again in another encoding where it is not UTF-8 and fits that one."""
    try:
        line.encode()
    except UnicodeEncodeError:
        try:
            return line.encode("utf-8", AS_BYTES).decode(encoding)
        except UnicodeError:
            pass  # the cells that are needed say so
    return line
