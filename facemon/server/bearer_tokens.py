"""The tokens that may ask for predictions, from a file that may change while the server runs."""

import hashlib
import hmac
import time
from collections.abc import Callable
from pathlib import Path

from facemon.errors import FacemonError
from facemon.regular_file import read_regular

_LOOK_AGAIN_SECONDS = 1.0
_SHORTEST = 16
_LARGEST_FILE = 1 << 20
_SCHEME = "bearer "


class BearerTokens:
    """Allows who brings one of a file's tokens: one on each line, `#` begins a comment.

    The file is looked at again at most once a second. One that cannot be read any more, or is wrong, changes
    nothing, and `tell` hears why.
    """

    def __init__(self, path: Path, tell: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        """FacemonError when the file cannot be read, holds no token, or one that is easy to guess."""
        self._path = path
        self._tell = tell
        self._clock = clock
        # First its state: a file that changes between the two is then read once more.
        self._state = _state(path)
        self._digests = _read(path)
        self._looked = clock()
        self._told = ""

    def allow(self, authorization: str | None) -> bool:
        """Whether the value of an Authorization header holds a token of the file."""
        self._look_again()
        given = authorization or ""
        is_bearer = given[: len(_SCHEME)].lower() == _SCHEME
        digest = _digest(given[len(_SCHEME) :].strip())
        # All of them in any case: how long it takes must not tell which one was nearly right.
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        return is_bearer and any(matches)

    def _look_again(self) -> None:
        now = self._clock()
        if now - self._looked < _LOOK_AGAIN_SECONDS:
            return
        self._looked = now
        try:
            if (state := _state(self._path)) == self._state:
                return
            self._digests, self._state = _read(self._path), state
        except FacemonError as error:
            if error.message != self._told:
                self._tell(f"{error.message}; the tokens stay as they were")
            self._told = error.message
        else:
            self._told = ""


def _state(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read(path: Path) -> tuple[bytes, ...]:
    try:
        lines = read_regular(path, _LARGEST_FILE).decode().splitlines()
    except UnicodeDecodeError as error:
        raise FacemonError(f"{path} holds no tokens: it is no text", "write one token on each line") from error
    except OSError as error:
        raise _unreadable(path, error) from error
    tokens = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not tokens:
        raise FacemonError(f"{path} holds no token", "write one on each line: openssl rand -hex 32")
    if any(len(token) < _SHORTEST or not (token.isascii() and token.isprintable()) or " " in token for token in tokens):
        raise FacemonError(
            f"{path} holds a token that is shorter than {_SHORTEST} characters, or not of letters, digits and signs",
            "openssl rand -hex 32 makes one",
        )
    return tuple(_digest(token) for token in tokens)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _unreadable(path: Path, error: OSError) -> FacemonError:
    return FacemonError(f"{path} cannot be read: {error.strerror or error}")
