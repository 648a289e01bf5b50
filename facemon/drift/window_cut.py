"""What remains of a window of the log where the reference's own window overlaps it: rows are never both sides."""

from dataclasses import dataclass
from datetime import datetime

_MINUTE = "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True)
class CutWindow:
    """The span `[since, until)` that is left, a note where it was cut, and why it is empty where nothing is left."""

    since: datetime
    until: datetime
    note: str | None = None
    empty_because: str | None = None


def cut_window(
    since: datetime, until: datetime, taken: tuple[datetime, datetime] | None, *, name: str | None = None
) -> CutWindow:
    """Cut the reference's window `taken` out of the window `[since, until)`.

    What follows the reference is kept, and what precedes it only where nothing follows: the newest rows are those
    that a check is for. A window that lies wholly within the reference keeps its times and is empty.
    """
    if taken is None or taken[1] <= since or until <= taken[0]:
        return CutWindow(since, until)
    first, last = taken
    called = f"the reference {name}" if name else "the reference"
    if last < until:
        return CutWindow(last, until, f"{_begin(called, last)}, because the rows before are the reference's own.")
    if since < first:
        note = f"The window ends where {called} begins, {first:{_MINUTE}} UTC, because the rows after are its own."
        return CutWindow(since, first, note)
    reason = f"the window lies within {called}: the first check can run after {last:{_MINUTE}} UTC"
    return CutWindow(since, until, empty_because=reason)


def _begin(called: str, at: datetime) -> str:
    return f"The window begins at the end of {called}, {at:{_MINUTE}} UTC"
