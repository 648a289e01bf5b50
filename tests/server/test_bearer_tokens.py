"""Who may ask for predictions."""

from pathlib import Path

import pytest

from facemon.errors import FacemonError
from facemon.server.bearer_tokens import BearerTokens
from tests.server.served_api import picture, served

OLD, NEW = "0123456789abcdef", "fedcba9876543210-new"


def test_only_who_brings_a_token_is_answered(tmp_path: Path) -> None:
    (path := tmp_path / "tokens").write_text(f"# the door's\n{OLD}\n\n  {NEW}  \n")
    with served(tmp_path, tokens=BearerTokens(path, print)) as api:
        for headers in (
            {},
            {"Authorization": f"Basic {OLD}"},
            {"Authorization": f"Bearer {OLD}x"},
            {"Authorization": OLD},
        ):
            assert api.refusal("POST", "/predict", picture(), headers) == (401, "unauthorized")
        assert api.ask("POST", "/predict", picture())[2]["www-authenticate"] == "Bearer"
        for token in (OLD, NEW):
            assert api.ask("POST", "/predict", picture(), {"Authorization": f"bearer {token}"})[0] == 200
        for page in ("/health", "/ready", "/metrics", "/docs", "/openapi.json"):
            assert api.ask("GET", page)[0] == 200
        assert api.requests("/predict") == {"401": 5, "200": 2}
        assert "Authorization: Bearer" in api.ask("GET", "/docs")[1]


def test_a_refused_body_is_not_read(tmp_path: Path) -> None:
    (path := tmp_path / "tokens").write_text(OLD)
    with served(tmp_path, tokens=BearerTokens(path, print)) as api:
        assert api.refusal("POST", "/predict", b"x" * 5_000_000) == (401, "unauthorized")


def test_the_file_may_change_while_the_server_runs(tmp_path: Path) -> None:
    (path := tmp_path / "tokens").write_text(OLD)
    now, said = [0.0], list[str]()
    tokens = BearerTokens(path, said.append, clock=lambda: now[0])
    path.write_text(NEW)
    assert tokens.allow(f"Bearer {OLD}"), "not looked at again within a second"
    now[0] += 2
    assert not tokens.allow(f"Bearer {OLD}")
    assert tokens.allow(f"Bearer {NEW}")
    for trouble, message in ((lambda: path.write_text("short"), "shorter than 16"), (path.unlink, "cannot be read")):
        trouble()
        for _ in range(3):
            now[0] += 2
            assert tokens.allow(f"Bearer {NEW}"), "the tokens stay as they were"
        assert message in said[-1]
    assert len(said) == 2, "each trouble is told once"
    path.write_text(OLD)
    now[0] += 2
    assert tokens.allow(f"Bearer {OLD}")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        ("# none\n\n", "no token"),
        ("abc\n", "shorter"),
        (b"\xff" * 20, "no text"),
        (f"{OLD} {NEW}", "not of letters"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, content: str | bytes | None, said: str) -> None:
    path = tmp_path / "tokens"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FacemonError, match=said):
        BearerTokens(path, print)
