"""A real bash on a real terminal of 80 columns, into which commands are typed one after the other."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.patience import HANG_S

ROWS, COLUMNS = 40, 80
_PROMPT = "<typed:$?>"
_PROMPTED = re.compile(rb"<typed:(\d+)>$")
_PIECES = re.compile(r"\x1b\[\??[\d;]*[A-Za-z]|\r|\n|[^\x1b\r\n]+")


class TypedShell:
    """An interactive bash, which starts jobs in the background as a reader's does."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._answer()

    def type(self, command: str) -> tuple[str, int]:
        """Type a command, of one line or several; what is then to be seen of its output, and its exit status."""
        os.write(self._terminal, f"{command}\n".encode())
        printed, code = self._answer()
        return on_screen(printed), code

    def _answer(self) -> tuple[str, int]:
        got, end = b"", time.monotonic() + HANG_S
        while (found := _PROMPTED.search(got)) is None:
            left = max(0.0, end - time.monotonic())
            assert select.select([self._terminal], [], [], left)[0], f"bash hangs:\n{got.decode(errors='replace')}"
            got += os.read(self._terminal, 65_536)
        return got[: found.start()].decode(), int(found[1])


@contextmanager
def typed_shell(folder: Path, environment: Mapping[str, str]) -> Iterator[TypedShell]:
    """Start bash in a folder; at the end it is killed, and every process that it has started."""
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    # What is typed is not to be among what is printed, and a line feed stays one.
    settings = termios.tcgetattr(end)
    settings[1] &= ~termios.ONLCR
    settings[3] &= ~termios.ECHO
    termios.tcsetattr(end, termios.TCSANOW, settings)
    # Job control needs a terminal that belongs to bash's own session.
    bash = subprocess.Popen(
        ["setsid", "--ctty", "bash", "--norc", "--noprofile", "--noediting", "-i"],
        cwd=folder,
        env={**environment, "TERM": "xterm", "PS1": _PROMPT, "PS2": ""},
        stdin=end,
        stdout=end,
        stderr=end,
    )
    os.close(end)
    try:
        yield TypedShell(terminal)
    finally:
        for process in _session(bash.pid):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        bash.wait()
        os.close(terminal)


def _session(leader: int) -> Iterator[int]:
    """The processes of a session, the leader too."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader:
                yield int(stat.parent.name)


def on_screen(printed: str) -> str:
    """What a terminal shows in the end of what was printed: no colours, and of a progress bar what is left of it."""
    rows, row, column = [""], 0, 0
    for piece in _PIECES.findall(printed):
        if piece == "\n":
            row, column = row + 1, 0
            rows += [""] * (row + 1 - len(rows))
        elif piece == "\r":
            column = 0
        elif not piece.startswith("\x1b"):
            rows[row] = rows[row][:column].ljust(column) + piece + rows[row][column + len(piece) :]
            column += len(piece)
        elif piece.endswith("A"):
            row -= int(piece[2:-1] or 1)
        elif piece.endswith("K"):
            rows[row] = "" if piece == "\x1b[2K" else rows[row][:column]
    return "\n".join(text.rstrip() for text in rows)
