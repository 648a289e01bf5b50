"""The names of sources that requests may bring into the log: few, since each is compared and shown by itself."""

from collections.abc import Callable, Iterable

from facemon.domain.profile import OTHER


class SourceNames:
    """Lets the first names in, up to a limit, and those that are listed; images of others are of source `other`."""

    def __init__(self, listed: Iterable[str], known: Iterable[str], most: int, counted: Callable[[int], None]) -> None:
        """`known` are names that hold a place already; `counted` hears how many images are logged as another source."""
        self._listed = frozenset((*listed, OTHER))
        self._known = set(known) - self._listed
        self._most = most
        self._counted = counted

    def logged_as(self, source: str | None, images: int) -> str | None:
        """The source under which so many images of a source are logged."""
        if source is None or source in self._listed or source in self._known:
            return source
        if len(self._known) < self._most:
            self._known.add(source)
            return source
        self._counted(images)
        return OTHER
