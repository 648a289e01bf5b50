"""What the command line may say of a push, and what no message repeats."""

from pathlib import Path
from typing import Any

import pytest

from facemon.application.push_target import PushOptions
from facemon.errors import UsageError
from facemon.metrics.pushgateway import Pushgateway, PushGroup
from tests.metrics.gateways import write_certificate

URL = "http://gateway.example:9091"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with secrets, good and bad."""
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "password": "s3cret\n", "bare": "s3cret", "empty": "", "lines": "s3cret\nmore\n", "spaced": "s3 cret",
        "umlaut": "größe\n",
    }.items():  # fmt: skip
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "bytes").write_bytes(b"s3cret\xff")
    return tmp_path


def options(**given: Any) -> PushOptions:
    none: dict[str, Any] = {
        "job": None, "grouping": (), "user": None, "password_file": None, "token_file": None, "ca_file": None,
        "timeout": None,
    }  # fmt: skip
    return PushOptions(**none | {k: Path(v) if k.endswith("_file") else v for k, v in given.items()})


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (URL, URL),
        (f"{URL}/", URL),
        ("gateway.example:9091", URL),
        ("https://gateway.example/push/", "https://gateway.example/push"),
        ("http://[::1]:9091", "http://[::1]:9091"),
    ],
)
def test_addresses(url: str, address: str) -> None:
    assert options().pushgateway(url, delete=False) == Pushgateway(PushGroup(address, "facemon"))


@pytest.mark.parametrize(
    "url", ["", "http://", "http://:9091", "http://host:port", "http://host:99999", "nonsense://x", "ftp://host",
            "http://host/?a=b", "http://host/#a", "http://a b", "http://größe", "http://host\n", "http://["]
)  # fmt: skip
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(UsageError, match="is not the address of a Pushgateway"):
        options().pushgateway(url, delete=False)


@pytest.mark.parametrize("url", ["http://me:s3cret@host:9091", "me:s3cret@host", "http://s3cret@host:port"])
def test_an_address_with_a_user_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError, match="holds a user") as refused:
        options().pushgateway(url, delete=False)
    assert "s3cret" not in f"{refused.value.message}{refused.value.hint}"


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"job": "a"}, "--job"),
        ({"job": ""}, "--job"),
        ({"grouping": ("a=b",)}, "--grouping"),
        ({"user": "me", "password_file": "password"}, "--user"),
        ({"token_file": "password"}, "--token-file"),
        ({"ca_file": "ca.pem"}, "--ca-file"),
        ({"timeout": 0.0}, "--timeout"),
    ],
)
def test_nothing_to_push(given: dict[str, Any], option: str) -> None:
    with pytest.raises(UsageError, match=f"^{option} needs --pushgateway"):
        options(**given).pushgateway(None, delete=False)
    with pytest.raises(UsageError, match=r"^--delete needs --pushgateway"):
        options().pushgateway(None, delete=True)
    assert options().pushgateway(None, delete=False) is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"job": ""}, "--job is empty"),
        ({"grouping": ("instance",)}, "--grouping instance: write KEY=VALUE"),
        ({"grouping": ("=a",)}, "'' is not a label name"),
        ({"grouping": ("1a=b",)}, "'1a' is not a label name"),
        ({"grouping": ("a-b=c",)}, "'a-b' is not a label name"),
        ({"grouping": ("__name__=c",)}, "'__name__' is not a label name"),
        ({"grouping": ("größe=c",)}, "'größe' is not a label name"),
        ({"grouping": ("a\n=c",)}, "is not a label name"),
        ({"grouping": ("job=a",)}, "the job has an option of its own"),
        ({"grouping": ("attribute=a",)}, "attribute is a label of facemon's own metrics"),
        ({"grouping": ("le=a",)}, "le is a label of facemon's own metrics"),
        ({"grouping": ("a=b", "a=c")}, "a was given already"),
        ({"timeout": 0.0}, "--timeout 0: write seconds"),
        ({"timeout": -1.0}, "--timeout -1: write seconds"),
        ({"timeout": float("nan")}, "--timeout nan: write seconds"),
        ({"timeout": float("inf")}, "--timeout inf: write seconds"),
        ({"user": "me"}, "belong together"),
        ({"password_file": "password"}, "belong together"),
        ({"user": "me", "password_file": "password", "token_file": "password"}, "exclude each other"),
        ({"user": "", "password_file": "password"}, "--user is empty"),
        ({"user": "a:b", "password_file": "password"}, "a colon"),
        ({"user": "me", "password_file": "none"}, "--password-file none: cannot be read: No such file"),
        ({"user": "me", "password_file": "."}, "cannot be read: Is a directory"),
        ({"user": "me", "password_file": "empty"}, "must hold exactly one line, the secret"),
        ({"user": "me", "password_file": "lines"}, "must hold exactly one line, the secret"),
        ({"user": "me", "password_file": "bytes"}, "is not UTF-8"),
        ({"token_file": "spaced"}, "without spaces"),
        ({"token_file": "umlaut"}, "without spaces"),
        ({"ca_file": "password"}, "--ca-file is for https"),
    ],
)
def test_what_makes_no_sense(here: Path, given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        options(**given).pushgateway(URL, delete=False)
    assert "s3" not in f"{refused.value.message}{refused.value.hint}"


def test_certificates(here: Path) -> None:
    secured = "https://gateway.example"
    with pytest.raises(UsageError, match="--ca-file none: cannot be read: No such file"):
        options(ca_file="none").pushgateway(secured, delete=False)
    with pytest.raises(UsageError, match="--ca-file password: holds no certificate"):
        options(ca_file="password").pushgateway(secured, delete=False)
    certificate = write_certificate(here)
    made = options(ca_file=certificate).pushgateway(secured, delete=False)
    assert made is not None
    assert made.ca_file == certificate


@pytest.mark.parametrize(
    ("given", "authorization"),
    [
        ({"user": "me", "password_file": "password"}, "Basic bWU6czNjcmV0"),
        ({"user": "me", "password_file": "bare"}, "Basic bWU6czNjcmV0"),
        ({"user": "me", "password_file": "umlaut"}, "Basic bWU6Z3LDtsOfZQ=="),
        ({"user": "me", "password_file": "spaced"}, "Basic bWU6czMgY3JldA=="),
        ({"token_file": "password"}, "Bearer s3cret"),
    ],
)
def test_who_pushes(here: Path, given: dict[str, Any], authorization: str) -> None:
    made = options(**given).pushgateway(URL, delete=False)
    assert made is not None
    assert made.authorization == authorization
    assert "s3" not in repr(made)


def test_a_group() -> None:
    made = options(job="night", grouping=("instance=a b", "site="), timeout=2.5).pushgateway(URL, delete=False)
    assert made == Pushgateway(PushGroup(URL, "night", (("instance", "a b"), ("site", ""))), timeout_s=2.5)
    assert str(made.group) == f"job 'night', instance='a b', site='' on {URL}"
