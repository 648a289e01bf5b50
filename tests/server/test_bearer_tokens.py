"""Who may ask for predictions: tokens of a file that changes, breaks and returns while the server runs."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from facemon.errors import FacemonError
from facemon.server.bearer_tokens import BearerTokens, _state
from tests.server.served_api import picture, served

OLD, NEW = "old-token-0123456789", "new-token-0123456789"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text(f"# of the cameras\n\n  {OLD}  \n#{NEW}\n")
    return path


def test_only_a_whole_token_of_the_file_is_allowed(path: Path) -> None:
    tokens = BearerTokens(path, pytest.fail)
    assert tokens.allow(f"Bearer {OLD}")
    assert tokens.allow(f"bearer  {OLD} ")
    wrong = (None, "", "Bearer", "Bearer ", OLD, f"Basic {OLD}", f"Tokens {OLD}", f"Bearer {OLD[:-1]}",
             f"Bearer {OLD}x", f"Bearer {NEW}", "Bearer # of the cameras", "Bearer \xe9\udc80")  # fmt: skip
    assert not any(tokens.allow(given) for given in wrong)


def test_a_change_of_the_file_counts_for_the_next_request(path: Path) -> None:
    tokens = BearerTokens(path, pytest.fail)
    before = path.stat()
    for given, other in ((NEW, OLD), (OLD, NEW)) * 20:
        # In place, as many bytes as before, within one tick of the file system's clock.
        path.write_text(f"{given}\n")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert tokens.allow(f"Bearer {given}")
        assert not tokens.allow(f"Bearer {other}")


def test_a_file_that_was_just_changed_is_read_again_whatever_its_times_are(path: Path) -> None:
    assert not _state(path).is_settled(), "a coarse clock may give the next change the same time"
    now = path.stat().st_ctime_ns
    assert not _state(path)._replace(modified_ns=0, changed_ns=now).is_settled()
    assert _state(path)._replace(modified_ns=now - 10**10, changed_ns=now - 10**10).is_settled()


def nothing(path: Path) -> None:
    del path


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def replaced(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (nothing, "cannot be read: No such file"),
    "empty": (replaced(b""), "holds no token"),
    "comments": (replaced(b"# nothing\n\n"), "holds no token"),
    "short": (replaced(b"fifteen-letters\n"), "holds no token: 1 of its lines"),
    "words": (replaced(b"two words of which one\n"), "holds no token: 1 of its lines"),
    "letters": (replaced("schlüssel-schlüssel\n".encode()), "holds no token: 1 of its lines"),
    "binary": (replaced(b"\xff\xfe\x00\n\x00"), "holds no token: 2 of its lines"),
    "large": (replaced(b"#" * 2**21), "is larger than 1,048,576 bytes"),
    "directory": (Path.mkdir, "is not a regular file"),
    "FIFO": (os.mkfifo, "is not a regular file"),
    "device": (endless, "is not a regular file"),
    "loop": (lambda path: path.symlink_to(path), "cannot be read: Too many levels"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_without_a_token_in_the_file_none_is_valid(path: Path, wrong: str) -> None:
    told: list[str] = []
    tokens = BearerTokens(path, told.append)
    assert tokens.allow(f"Bearer {OLD}")
    make, message = WRONG[wrong]
    path.unlink()
    make(path)
    for _ in range(3):
        assert not tokens.allow(f"Bearer {OLD}"), "a token that is not in the file any more was revoked"
        assert not tokens.allow("Bearer ")
        assert not tokens.allow(None)
    (said,) = told
    assert message in said
    assert said.endswith("every prediction is refused with 401")
    with pytest.raises(FacemonError, match=message) as error:
        BearerTokens(path, pytest.fail)
    assert error.value.hint
    assert "fifteen" not in f"{said}{error.value.message}"
    path.rmdir() if wrong == "directory" else path.unlink(missing_ok=True)
    path.write_text(f"{NEW}\n")
    assert tokens.allow(f"Bearer {NEW}")
    assert len(told) == 1


def test_a_bad_line_is_left_out_alone_and_said_once(path: Path) -> None:
    told: list[str] = []
    path.write_bytes(b"\xef\xbb\xbf" + f"{OLD}\r\nshort\n\xff{NEW}\n{NEW}".encode("latin-1"))
    tokens = BearerTokens(path, told.append)
    for _ in range(3):
        assert tokens.allow(f"Bearer {OLD}")
        assert tokens.allow(f"Bearer {NEW}")
        assert not tokens.allow("Bearer short")
        assert not tokens.allow(f"Bearer \xff{NEW}")
    assert [text.partition(": ")[0] for text in told] == [f"{path}, line {number}" for number in (2, 3)]
    assert not any("short" in text or NEW in text for text in told)


def test_a_file_that_everybody_may_write_is_told_of_once(path: Path) -> None:
    told: list[str] = []
    tokens = BearerTokens(path, told.append)
    for mode in (0o644, 0o666, 0o600):
        path.chmod(mode)
        assert all(tokens.allow(f"Bearer {OLD}") for _ in range(3))
    assert told == [f"every user may add tokens to {path}, whose mode is 666: chmod 600"]


def test_predictions_ask_for_a_token_and_nothing_else_does(tmp_path: Path, path: Path) -> None:
    with served(tmp_path, tokens=BearerTokens(path, pytest.fail)) as api:
        for headers in ({}, {"Authorization": f"Bearer {NEW}"}):
            assert api.refusal("POST", "/predict", picture(), headers) == (401, "unauthorized")
        assert api.ask("POST", "/predict", b"x" * 200_000)[2]["www-authenticate"] == "Bearer"
        assert api.logged == []
        assert api.ask("POST", "/predict", picture(), {"Authorization": f"Bearer {OLD}"})[0] == 200
        for open_to_all in ("/health", "/ready", "/metrics", "/docs", "/openapi.json"):
            assert api.ask("GET", open_to_all)[0] == 200
        assert api.requests("/predict") == {"401": 3, "200": 1}
        assert OLD not in str(api.access)
