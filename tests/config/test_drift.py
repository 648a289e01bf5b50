from datetime import timedelta

import pytest
from pydantic import ValidationError

from facemon.config.drift import DriftConfig

DAY = timedelta(days=1)


def test_a_window_is_never_widened_to_less() -> None:
    with pytest.raises(ValidationError, match="widen_to is shorter than window"):
        DriftConfig.model_validate({"window": "24h", "widen_to": "12h"})


@pytest.mark.parametrize(
    ("given", "widen_to"),
    [
        ({}, 14 * DAY),
        ({"widen_to": "24h"}, DAY),
        ({"window": "30d"}, 14 * DAY),
        ({"window": "7d", "widen_to": "28d"}, 28 * DAY),
    ],
)
def test_windows_that_may_be_widened_or_not(given: dict[str, str], widen_to: timedelta) -> None:
    assert DriftConfig.model_validate(given).widen_to == widen_to
