"""The commands of a page's console blocks, and what the page shows below each."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_COMMAND = re.compile(r"^(?:\$ |[\d*]+ [\d*]+ \* \* \* )(.*?)(?:     # exit (\d+))?$")
_HERE_DOCUMENT = re.compile(r"<<'(\w+)'$")


@dataclass
class Command:
    """What is typed, a line or several, and what follows it on the page."""

    line: str
    code: int
    shown: str = ""


def commands_of(text: str) -> Iterator[Command]:
    """The commands of a block; AssertionError where it does not begin with one."""
    command: Command | None = None
    lines = iter(text.splitlines())
    for line in lines:
        if (found := _COMMAND.match(line)) is not None:
            if command is not None:
                yield command
            command = Command(_typed(found[1], lines), int(found[2] or 0))
        else:
            assert command is not None, f"{line}: the block does not begin with a command"
            command.shown += f"{line}\n"
    if command is not None:
        yield command


def _typed(line: str, following: Iterator[str]) -> str:
    """The line with those that belong to it: after a backslash at its end, and up to the end of a here-document."""
    while line.endswith("\\"):
        line += f"\n{next(following)}"
    if (found := _HERE_DOCUMENT.search(line)) is not None:
        for text in following:
            line += f"\n{text}"
            if text == found[1]:
                break
    return line


def shows(shown: str, printed: str) -> bool:
    """Whether a command has printed what the page shows; `…` matches any text, and alone on a line for any lines."""
    pattern = re.escape(shown).replace("…\\\n", "(?:.*\\n)*").replace("…", ".*")
    return re.fullmatch(pattern, printed) is not None
