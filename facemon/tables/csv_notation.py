"""How a CSV file is written: its delimiter and encoding, where its beginning shows them, else as `tables.csv` says."""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from facemon.config.drift import CsvConfig
from facemon.errors import FacemonError
from facemon.tables.compressed_file import format_suffix, open_bytes

_HEAD_BYTES = 1 << 20
_QUOTED = re.compile(r'(?<![^,;\t|\r\n])"(?:[^"]|"")*"(?=[,;\t|\r\n]|$)')
"""A cell in quotation marks, whatever stands inside."""
_LINE_END = re.compile(r"\r\n|\r|\n")
_EXCEL_HINT = re.compile(r"sep=(.)")
"""The first line by which Excel is told the delimiter."""
_DELIMITERS = ",;\t"
_OTHER_DELIMITERS = "|:^~ "
_SHOWN_LINES = 11
_UTF16_SHARE = 0.3
"""Share of bytes 0 from which on text is UTF-16: Latin letters have half, and UTF-8 has none."""


@dataclass(frozen=True, slots=True)
class CsvNotation:
    """What is known of CSV files beforehand; none where the file must show it."""

    delimiter: str | None = None
    decimal: str = "."
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class CsvHead:
    """What the beginning of one file shows."""

    delimiter: str
    encoding: str
    """A codec of Python; `utf-8-sig` for UTF-8."""
    skipped: int = 0
    """Lines before the header."""


def notation_of(settings: CsvConfig) -> CsvNotation:
    """The notation that the configuration tells."""
    return CsvNotation(settings.delimiter, settings.decimal, settings.encoding)


def read_head(path: Path, notation: CsvNotation, *, errors: str = "strict") -> CsvHead:
    """Find out how a CSV file is written; `errors` is what becomes of bytes that are not UTF-8.

    FacemonError names the key to set where the encoding or the delimiter is not plain.
    """
    with open_bytes(path) as file:
        beginning = file.read(_HEAD_BYTES)
    encoding = _encoding(path, beginning, notation)
    decoder = codecs.getincrementaldecoder(encoding)(errors if notation.encoding is None else "strict")
    try:
        text = decoder.decode(beginning)
    except UnicodeError as error:
        raise encoding_fault(path, notation, error) from error
    lines = _LINE_END.split(_QUOTED.sub("x", text), _SHOWN_LINES)
    excel = _EXCEL_HINT.fullmatch(lines[0])
    skipped = 1 if excel else 0
    shown = [line for line in lines[skipped:] if line.strip(" ")]
    delimiter = notation.delimiter or (excel and excel[1]) or _delimiter(path, shown)
    return CsvHead(delimiter, encoding, skipped)


def is_ascii_with_more(encoding: str) -> bool:
    """Whether ASCII text is the same bytes in an encoding, and other text never is ASCII: its lines end as UTF-8's do.

    FacemonError where it is not an encoding.
    """
    _check_encoding(encoding)
    ascii_ = bytes(range(32, 127))
    others = [sign.encode(encoding, "ignore") for sign in "éя日"]
    return ascii_.decode(encoding, "replace") == ascii_.decode() and not any(each and each.isascii() for each in others)


def encoding_fault(path: Path, notation: CsvNotation, error: Exception | None = None) -> FacemonError:
    """The error for a file that its encoding does not fit; it is searched for the place."""
    if notation.encoding is not None:
        hint = "set tables.csv.encoding to the encoding in which the file was saved"
        return FacemonError(f"{path}: cannot be read as {notation.encoding}: {error}", hint)
    line, offset = _first_fault(path)
    return _not_utf8(f"{path}: line {line} is not UTF-8 (byte {offset:,} of the file)", "latin-1")


def _not_utf8(message: str, encoding: str) -> FacemonError:
    hint = f"set tables.csv.encoding: {encoding} if the file was saved so, or save it as UTF-8"
    return FacemonError(message, hint)


def _encoding(path: Path, beginning: bytes, notation: CsvNotation) -> str:
    # A byte order mark is certain; the configured encoding is that of the other files.
    if beginning.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if notation.encoding is not None:
        _check_encoding(notation.encoding)
        return notation.encoding
    marks = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    if beginning.startswith(marks) or beginning.count(0) > _UTF16_SHARE * len(beginning):
        raise _not_utf8(f"{path}: the file is not UTF-8: it seems to be UTF-16", "utf-16")
    return "utf-8-sig"


def _check_encoding(encoding: str) -> None:
    try:
        "".encode(encoding)
    except (LookupError, UnicodeError):
        raise FacemonError(
            f"tables.csv.encoding: {encoding!r} names no encoding of text",
            "use a codec of Python, such as latin-1, cp1252, utf-16 or shift_jis",
        ) from None


def _delimiter(path: Path, lines: list[str]) -> str:
    """The one of the three delimiters that the header holds; the header and the lines after it, at most ten."""
    if not lines:
        return ","
    header = lines[0]
    found = [sign for sign in _DELIMITERS if sign in header]
    if format_suffix(path) == ".tsv" and (not found or "\t" in found):
        return "\t"
    if format_suffix(path) == ".tsv" or len(found) > 1:
        signs = ", ".join(_NAMES[sign] for sign in found)
        raise _unclear(path, f"the header line holds {signs}: what separates its columns?", found)
    if found:
        return found[0]
    for sign in _OTHER_DELIMITERS:
        if _separates(sign, lines):
            raise _unclear(path, f"the columns seem to be separated by {_NAMES[sign]}", [sign])
    return ","


_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", " ": "spaces", **{sign: repr(sign) for sign in "|:^~"}}


def _separates(sign: str, lines: list[str]) -> bool:
    """Whether an unusual delimiter cuts the header and the lines after it alike."""
    pieces = {len(line.split() if sign == " " else line.split(sign)) for line in lines}
    if sign == "|" and sign in lines[0]:
        return True
    return len(lines) > 1 and len(pieces) == 1 and max(pieces) > 1


def _unclear(path: Path, message: str, signs: list[str]) -> FacemonError:
    keys = " or ".join('"\\t"' if sign == "\t" else f'"{sign}"' for sign in signs)
    return FacemonError(f"{path}: {message}", f"set tables.csv.delimiter: {keys}")


def _first_fault(path: Path) -> tuple[int, int]:
    """The line, counted from 1, and the offset of the first byte that is not UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, read = 1, 0
    with open_bytes(path) as file:
        while True:
            chunk = file.read(_HEAD_BYTES)
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                # The decoder puts the unfinished bytes of the chunk before in front of this one.
                pending = len(error.object) - len(chunk)
                return lines + chunk.count(b"\n", 0, max(0, error.start - pending)), read - pending + error.start
            if not chunk:
                return lines, read
            lines, read = lines + chunk.count(b"\n"), read + len(chunk)
