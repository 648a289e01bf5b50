"""How many images are being predicted, and the limit beyond which more are told to come back."""

from facemon.server.refusal import refuse


class ImagesInFlight:
    """Counts images between their complete arrival and their answer, within one event loop."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.count = 0

    def check(self, images: int) -> None:
        """503 when there is no room for so many more."""
        if self.count + images > self.limit:
            refuse(503, f"{self.count} images are being predicted", (b"retry-after", b"1"))

    def enter(self, images: int) -> None:
        """Count images as in flight; 503 when there are too many."""
        self.check(images)
        self.count += images

    def leave(self, images: int) -> None:
        """Images that were counted are answered."""
        self.count -= images
