"""Who may ask for predictions: tokens of a file that changes, breaks and returns while the server runs."""

from pathlib import Path

import pytest

from facemon.errors import FacemonError
from facemon.server.bearer_tokens import BearerTokens
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


def test_the_file_may_change_break_and_return(path: Path) -> None:
    told: list[str] = []
    now = 0.0
    tokens = BearerTokens(path, told.append, clock=lambda: now)
    path.write_text(f"{NEW}\n")
    assert not tokens.allow(f"Bearer {NEW}"), "it is not read for each request"
    now = 2.0
    assert tokens.allow(f"Bearer {NEW}")
    assert not tokens.allow(f"Bearer {OLD}")
    for number, broken in enumerate((None, "short\n", "\n")):
        path.unlink(missing_ok=True)
        if broken is not None:
            path.write_text(broken)
        for _ in range(3):
            now += 2
            assert tokens.allow(f"Bearer {NEW}"), "the tokens stay as they were"
        assert len(told) == number + 1, "each trouble is told once"
        assert told[-1].endswith("; the tokens stay as they were")
    path.write_text(f"{OLD}\n")
    now += 2
    assert tokens.allow(f"Bearer {OLD}")
    assert not tokens.allow(f"Bearer {NEW}")
    assert len(told) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no token"),
        (b"# nothing\n", "holds no token"),
        (b"fifteen-letters\n", "shorter than 16 characters"),
        (b"two words of which one\n", "not of letters, digits and signs"),
        ("schlüssel-schlüssel\n".encode(), "not of letters, digits and signs"),
        (b"\xff\xfe\x00", "it is no text"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_file_that_is_wrong_keeps_the_server_from_starting(path: Path, content: bytes | None, message: str) -> None:
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FacemonError, match=message) as error:
        BearerTokens(path, pytest.fail)
    assert "fifteen" not in error.value.message


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
