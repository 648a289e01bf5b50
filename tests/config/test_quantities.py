"""Durations, sizes and addresses are read as they are written, and anything else is refused."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.config.durations import format_duration, parse_duration
from facemon.config.quantities import Listen, parse_listen, parse_size

_milliseconds = st.integers(min_value=0, max_value=10**12).map(lambda amount: timedelta(milliseconds=amount))


@given(_milliseconds)
def test_a_duration_is_read_back_as_it_was_written(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("1h30m", 5400), ("500ms", 0.5), ("2w", 1_209_600), (" 24h ", 86_400), ("0s", 0), ("90s", 90)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "5", "5 m", "m", "1m1h", "-5s", "1.5h", "5M", "1y"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration: write a number and a unit, like 30s"):
        parse_duration(text)


def test_a_duration_beyond_reckoning_is_refused() -> None:
    with pytest.raises(ValueError, match="is too long: the longest duration is 999999999d"):
        parse_duration("99999999999d")


@given(st.integers(min_value=0, max_value=2**30), st.sampled_from([("B", 0), ("KiB", 10), ("MiB", 20), ("GiB", 30)]))
def test_a_size_is_its_number_times_its_unit(amount: int, unit: tuple[str, int]) -> None:
    assert parse_size(f"{amount}{unit[0]}") == parse_size(f"{amount} {unit[0]}") == amount << unit[1]


@pytest.mark.parametrize("text", ["", "16MB", "-1", "1.5MiB", "MiB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


@pytest.mark.parametrize("text", ["127.0.0.1:8000", "localhost:0", "[::1]:9090", "example.com:65535"])
def test_an_address_is_written_as_it_was_read(text: str) -> None:
    assert str(parse_listen(text)) == text


@pytest.mark.parametrize("text", ["", "8000", ":8000", "host:", "host:65536", "::1:80", "a b:80"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address"):
        parse_listen(text)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("localhost", True), ("[::1]", True), ("192.0.2.1", False),
     ("[::]", False), ("127.example.com", False), ("10.0.0.1", False)],
)  # fmt: skip
def test_only_loopback_addresses_are_loopback(host: str, loopback: bool) -> None:
    assert Listen(host, 80).is_loopback is loopback
