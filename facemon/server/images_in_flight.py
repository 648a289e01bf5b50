"""How many images are being predicted, and the limits beyond which more are told to come back."""

from facemon.domain.counted import counted
from facemon.server.refusal import refuse


class ImagesInFlight:
    """Counts images between their complete arrival and their answer, within one event loop.

    Their bytes have a limit too: small images may wait in large numbers, which a burst needs, while large ones do not
    fill the memory.
    """

    def __init__(self, limit: int, size_limit: int) -> None:
        """At most `limit` images, and `size_limit` bytes of them."""
        self.count = 0
        self._size = 0
        self.hold_to(limit, size_limit)

    def hold_to(self, limit: int, size_limit: int) -> None:
        """Hold the next images to other limits."""
        self.limit, self._size_limit = limit, size_limit

    def check(self, images: int = 1, size: int = 0) -> None:
        """503 when there is no room for so many more, or for so many bytes."""
        if self.count + images > self.limit:
            self._refuse("")
        if self._size + size > self._size_limit:
            self._refuse(f" of {self._size} bytes")

    def _refuse(self, what: str) -> None:
        are = "is" if self.count == 1 else "are"
        refuse(503, f"{counted(self.count, 'image')}{what} {are} being predicted", (b"retry-after", b"1"))

    def enter(self, images: int, size: int) -> None:
        """Count images, and their bytes, as in flight; 503 when there are too many."""
        self.check(images, size)
        self.count += images
        self._size += size

    def leave(self, images: int, size: int) -> None:
        """Images that were counted are answered."""
        self.count -= images
        self._size -= size
