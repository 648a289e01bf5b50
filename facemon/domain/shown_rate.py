"""How often something happens, for people: by the second, or by what shows more than a 0."""

_PERIODS = ((1.0, "s"), (60.0, "min"), (3600.0, "h"))


def shown_rate(count: int, seconds: float, unit: str) -> str:
    """Return such as `250 images/s`, or `4 shards/min` where there is less than one in a second; seconds above 0."""
    by_second = count / seconds
    period, name = next((each for each in _PERIODS if round(by_second * each[0]) >= 1), _PERIODS[-1])
    return f"{by_second * period:.0f} {unit}/{name}"
