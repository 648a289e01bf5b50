"""Text that steers neither a terminal nor the runner of a workflow, whatever names it holds.

Data bring names of files, sources and labels with any character in them: escape sequences (ESC, and CSI of C1) move
the cursor or change a terminal's title, and characters that set the direction of text make it read as another.
"""

import re

_CONTROL_BUT_LAYOUT = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029"
_CONTROL = f"{_CONTROL_BUT_LAYOUT}\t\n"
_DIRECTION = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""Unicode Technical Report 36, 2.5 (bidirectional text spoofing)."""
_STEERS = re.compile(f"[{_CONTROL}{_DIRECTION}\ud800-\udfff]")
_STEERS_BUT_LAYOUT = re.compile(f"[{_CONTROL_BUT_LAYOUT}{_DIRECTION}\ud800-\udfff]")
_COMMAND = re.compile(r":(?=:)|#(?=#\[)")
_COMMAND_LINE = re.compile(r"^[ \t]*:(?=:)|#(?=#\[)", re.MULTILINE)
"""What the commands of a GitHub runner begin with: `::` at the start of a line, blanks aside, and `##[` anywhere.

Source: actions/runner, `ActionCommand.TryParseV2` and `ActionCommand.TryParse`.
"""


class Lines(str):
    """Text whose line ends are facemon's own, since the names in it are printable: it is shown as several lines.

    In any other message a line end comes from a name, and is shown as what it is: it would make a line of its own that
    reads like one of facemon's.
    """

    __slots__ = ()


def printable(text: str) -> str:
    r"""Write what steers a terminal, line ends too, as `\u001b`: in JSON that is the same text."""
    return _STEERS.sub(_escape, text)


def printable_lines(text: str) -> str:
    """Do as `printable`, but keep line ends and tabs."""
    return _STEERS_BUT_LAYOUT.sub(_escape, text)


def without_commands(text: str) -> str:
    """Part the marks of commands for the runner of a GitHub workflow, wherever the text is broken into lines."""
    return _COMMAND.sub(r"\g<0> ", text)


def without_command_lines(text: str) -> str:
    """Do as `without_commands` for text that is printed with its own line ends: an address like ::1 stays whole."""
    # Most text has neither, and to look for them is ten times as fast as the expression.
    return _COMMAND_LINE.sub(r"\g<0> ", text) if "::" in text or "##[" in text else text


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
