"""Values that a caller gives: commands and Monitor refuse the same sources, each with what to do."""

import pytest

from facemon.application.given_values import refuse_source
from facemon.application.prediction import refuse_nonsense
from facemon.errors import UsageError


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "is empty"),
        (" \t", "is empty"),
        ("a\n", "holds a control character"),
        ("a" * 201, "has 201 characters; at most 200 are kept"),
        (7, "is 7, not text"),
    ],
)
def test_a_source_that_the_log_cannot_hold(source: object, said: str) -> None:
    for name in ("--source", "source"):
        with pytest.raises(UsageError) as caught:
            refuse_source(name, source)
        assert caught.value.message == f"{name} {said}"
        assert caught.value.hint


@pytest.mark.parametrize("source", [None, "gate", "Tor 1", "a" * 200])
def test_a_source_that_it_holds(source: str | None) -> None:
    refuse_source("--source", source)
    refuse_nonsense([], source, resumes=False, logs=True, retries=False)
