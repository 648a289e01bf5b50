"""How long ago something was, in words."""

from datetime import timedelta

_UNITS = ((timedelta(days=2), timedelta(days=1), "days"), (timedelta(hours=2), timedelta(hours=1), "hours"))


def age_text(age: timedelta) -> str:
    """An age in whole days, hours or minutes, such as `3 days ago`."""
    for least, unit, name in _UNITS:
        if age >= least:
            return f"{age // unit} {name} ago"
    minutes = max(0, age // timedelta(minutes=1))
    return "just now" if not minutes else f"{minutes} min ago"
