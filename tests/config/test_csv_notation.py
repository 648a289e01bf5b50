"""`tables.csv`: what it may say."""

import pytest
from pydantic import ValidationError

from facemon.config.drift import CsvConfig, TablesConfig


@pytest.mark.parametrize("sign", list(",;\t| :^~#'."))
def test_any_sign_may_part_columns(sign: str) -> None:
    assert CsvConfig(delimiter=sign).delimiter == sign


@pytest.mark.parametrize(
    "wrong",
    [
        {"delimiter": ""}, {"delimiter": ";;"}, {"delimiter": '"'}, {"delimiter": "\n"}, {"delimiter": "a"},
        {"delimiter": "7"}, {"delimiter": "ü"}, {"decimal": ";"}, {"encoding": ""}, {"encoding": 8}, {"separator": ","},
    ],
)  # fmt: skip
def test_nothing_else(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TablesConfig.model_validate({"csv": wrong})
