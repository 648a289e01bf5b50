"""The storages of the tests, where s3:// leads to them by the environment."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.object_storage.origin import Origin, running_origin, s3_variables


def lead_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let s3:// lead to an address until the test ends."""
    for name, value in s3_variables(url).items():
        monkeypatch.setenv(name, value)


@contextmanager
def reached_origin(monkeypatch: pytest.MonkeyPatch, **options: Any) -> Iterator[Origin]:
    """Run an origin, as `running_origin` does, to which s3:// leads."""
    with running_origin(**options) as origin:
        lead_to(origin.url, monkeypatch)
        yield origin
