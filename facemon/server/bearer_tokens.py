"""The tokens that may ask for predictions, from a file that may change while the server runs."""

import hashlib
import hmac
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from facemon.errors import FacemonError
from facemon.regular_file import read_regular

_SHORTEST = 16
_LARGEST_FILE = 2**20
_SCHEME = "bearer "
_COARSE_NS = 2 * 10**9
"""File systems give times to within so much: a file that was changed more recently may change again unseen."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SUGGESTION = "write one on each line: openssl rand -hex 32"


class BearerTokens:
    """Allows requests that bring one of a file's tokens: one on each line, `#` begins a comment.

    The file is looked at for each request, so that a token that is removed from it is refused from then on. While
    the file is missing, cannot be read or holds no token, every request is refused. A line that is not a token is
    left out alone. `tell` hears of each of these once.
    """

    def __init__(self, path: Path, tell: Callable[[str], None]) -> None:
        """FacemonError when the file cannot be read or holds no token."""
        self._path = path
        self._tell = tell
        self._told: tuple[str, ...] = ()
        self._state: _State | None = None
        self._digests: tuple[bytes, ...] = ()
        self._read()

    def allow(self, authorization: str | None) -> bool:
        """Whether the value of an Authorization header holds a token that the file holds now."""
        self._look()
        given = authorization or ""
        is_bearer = given[: len(_SCHEME)].lower() == _SCHEME
        digest = _digest(given[len(_SCHEME) :].strip().encode("utf-8", "surrogateescape"))
        # All of them in any case: how long it takes must not tell which one was nearly right.
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        return is_bearer and any(matches)

    def _look(self) -> None:
        try:
            if self._state is None or self._state != _state(self._path) or not self._state.is_settled():
                self._read()
        except FacemonError as error:
            self._digests, self._state = (), None
            self._tell_once(f"{error.message}; until it holds a token, every prediction is refused with 401")

    def _read(self) -> None:
        # First its state: a file that changes between the two is then read once more.
        state = _state(self._path)
        tokens, faults = _tokens(self._path)
        if state.mode & stat.S_IWOTH:
            faults.insert(0, f"every user may add tokens to {self._path}, whose mode is {state.mode:o}: chmod 600")
        self._tell_once(*faults)
        self._digests, self._state = tuple(map(_digest, tokens)), state

    def _tell_once(self, *texts: str) -> None:
        for text in texts:
            if text not in self._told:
                self._tell(text)
        self._told = texts


class _State(NamedTuple):
    """What changes with a file; its change time too, which no program can set back."""

    mode: int
    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    def is_settled(self) -> bool:
        """Whether a later change shows in the times."""
        return time.time_ns() - max(self.modified_ns, self.changed_ns) > _COARSE_NS


def _state(path: Path) -> _State:
    """The state of a regular file: to open a FIFO or a device may take forever, or do something."""
    try:
        found = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    if not stat.S_ISREG(found.st_mode):
        raise FacemonError(f"{path} is not a regular file, so it holds no tokens", _SUGGESTION)
    return _State(
        stat.S_IMODE(found.st_mode), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
    )


def _tokens(path: Path) -> tuple[list[bytes], list[str]]:
    """The tokens of a file, and what is wrong with its other lines; FacemonError when there is no token."""
    tokens, faults = list[bytes](), list[str]()
    for number, line in _lines(path):
        if len(line) >= _SHORTEST and all(0x20 < byte < 0x7F for byte in line):
            tokens.append(line)
        else:
            faults.append(
                f"{path}, line {number}: not a token, which has at least {_SHORTEST} characters, all of them ASCII "
                "letters, digits or signs; the line is ignored"
            )
    if not tokens:
        reason = f"{path} holds no token" + (f": {len(faults)} of its lines are not tokens" if faults else "")
        raise FacemonError(reason, f"a token has at least {_SHORTEST} ASCII characters; {_SUGGESTION}")
    return tokens, faults


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that are neither empty nor comments, with their numbers."""
    for number, line in enumerate(_content(path).removeprefix(_BYTE_ORDER_MARK).splitlines(), 1):
        text = line.strip()
        if text and not text.startswith(b"#"):
            yield number, text


def _content(path: Path) -> bytes:
    try:
        # Without waiting, in case a FIFO has taken the file's place since its state was read.
        return read_regular(path, _LARGEST_FILE)
    except OSError as error:
        raise _unreadable(path, error) from error


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def _unreadable(path: Path, error: OSError) -> FacemonError:
    return FacemonError(f"{path} cannot be read: {error.strerror or error}", _SUGGESTION)
