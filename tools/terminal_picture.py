"""Draws what a terminal of 80 columns shows of real commands, as SVG with colours for light and dark."""

import fcntl
import os
import re
import struct
import subprocess
import termios
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.text import Text

COLUMNS = 80
_ROWS = 50
_CHARACTER, _LINE, _MARGIN = 8.0, 19, 16
"""In pixels: the width of a character, the height of a line, the room around all lines."""
_LIGHT = {"page": "#f6f8fa", "ink": "#1f2328", "dim": "#59636e", "red": "#cf222e", "yellow": "#7d4e00",
          "green": "#116329", "cyan": "#1b7c83", "blue": "#0550ae", "magenta": "#8250df"}  # fmt: skip
_DARK = {"page": "#151b23", "ink": "#f0f6fc", "dim": "#9198a1", "red": "#ff7b72", "yellow": "#e3b341",
         "green": "#7ee787", "cyan": "#76e3ea", "blue": "#79c0ff", "magenta": "#d2a8ff"}  # fmt: skip
_FONT = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
_NAMES = ("dim", "red", "green", "yellow", "blue", "magenta", "cyan", "")
"""Of a terminal's eight colours, by their numbers."""
_SEQUENCE = re.compile(r"\x1b\[(\??[\d;]*)([A-Za-z])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\r\n]|[^\x1b\r\n]+|\x1b")


@dataclass(frozen=True, slots=True)
class Typed:
    """A command line, what the terminal showed of it, and its exit code."""

    line: str
    shown: str
    code: int


def typed(line: str, *, cwd: Path, environment: Mapping[str, str], home: str) -> Typed:
    """Run a line of bash in a new pseudo-terminal, and return what stays on its screen, with `home` as its folder."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, COLUMNS, 0, 0))
    terminal = {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LANG": "C.UTF-8"}
    process = subprocess.Popen(
        ["bash", "-c", line], cwd=cwd, env={**environment, **terminal}, stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as terminal_end:
        written = b"".join(_chunks(terminal_end.fileno()))
    return Typed(line, screen(_steady(written.decode(), str(cwd.resolve()), home)), process.wait())


def _steady(written: str, folder: str, home: str) -> str:
    """Put `home` in the place of a folder, and whole minutes in times and names, so that runs show the same."""
    written = re.sub(r"(-\d{8}T\d{4})\d\dZ", r"\g<1>00Z", written.replace(folder, home))
    return re.sub(r"(\d\d:\d\d):\d\d UTC", r"\g<1>:00 UTC", written)


def _chunks(descriptor: int) -> Iterable[bytes]:
    while True:
        try:
            chunk = os.read(descriptor, 2**16)
        except OSError:  # Linux ends a pseudo-terminal that nobody holds any more so.
            return
        if not chunk:
            return
        yield chunk


def screen(written: str) -> str:
    """Return the lines that stay, with their colours: a progress bar that was wiped away leaves nothing."""
    lines, row = [""], 0
    for match in _SEQUENCE.finditer(written):
        count, command = match[1], match[2]
        if match[0] == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif command == "A":
            row = max(0, row - int(count or 1))
        elif command == "K":
            lines[row] = ""
        elif command == "m" or match[0][0] not in "\r\x1b":
            lines[row] += match[0]
    return "\n".join(lines).rstrip("\n")


def terminal_picture(title: str, description: str, commands: Sequence[Typed]) -> str:
    """Draw commands below each other, each with its prompt and what it showed."""
    lines: list[Text] = []
    for command in commands:
        lines += [Text.assemble(("$ ", "dim"), (command.line, "bold")), *_parsed(command.shown), Text()]
    width = round(2 * _MARGIN + COLUMNS * _CHARACTER)
    height = 2 * _MARGIN + _LINE * (len(lines) - 1)
    shapes = [shape for place, line in enumerate(lines) for shape in _drawn(line, _MARGIN + _LINE * place + 14)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'role="img" aria-labelledby="title description">'
    )
    return "\n".join(
        (
            head,
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(description)}</desc>',
            "<style>",
            f"text{{{_FONT};font-size:13px;white-space:pre}}",
            ".bold{font-weight:700}",
            _colours(_LIGHT),
            "@media (prefers-color-scheme:dark){",
            _colours(_DARK),
            "}",
            "</style>",
            f'<rect width="{width}" height="{height}" rx="8" class="page"/>',
            *shapes,
            "</svg>\n",
        )
    )


def _parsed(shown: str) -> list[Text]:
    """Return the lines as a terminal breaks them, which knows no words."""
    lines: list[Text] = list(Text.from_ansi(shown).split("\n")) if shown else []
    return [part for line in lines for part in line.divide(range(COLUMNS, max(len(line), 1), COLUMNS))]


def _drawn(line: Text, baseline: float) -> Iterable[str]:
    """Draw each part of a line that looks different, where its first cell is."""
    column = 0
    console = Console(width=COLUMNS * 4, color_system="truecolor")
    for words, style, _ in line.render(console):
        cells = cell_len(words)
        if words.strip():
            left = len(words) - len(words.lstrip())
            part = words.strip()
            x = _MARGIN + (column + left) * _CHARACTER
            look = _look(style)
            yield (
                f'<text x="{x:g}" y="{baseline:g}" textLength="{cell_len(part) * _CHARACTER:g}"'
                f"{f' class={chr(34)}{look}{chr(34)}' if look else ''}>{escape(part)}</text>"
            )
        column += cells


def _look(style: Style | None) -> str:
    if style is None:
        return ""
    number = style.color.number if style.color else None
    looks = [
        _NAMES[number % 8] if number is not None and number < 16 else "",
        "dim" if style.dim else "",
        "bold" if style.bold else "",
    ]
    return " ".join(look for look in looks if look)


def _colours(of: Mapping[str, str]) -> str:
    names = [name for name in of if name not in ("page", "ink")]
    return "\n".join(
        (
            f"text{{fill:{of['ink']}}}",
            f"rect.page{{fill:{of['page']}}}",
            *(f"text.{name}{{fill:{of[name]}}}" for name in names),
        )
    )
