"""How many images are being read or predicted, and the limit beyond which more are told to come back."""

from facemon.server.refusal import refuse


class ImagesInFlight:
    """Counts images between their arrival and their answer, within one event loop."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.count = 0

    def enter(self, images: int) -> None:
        """Count images as in flight; 503 when there are too many."""
        if images and self.count + images > self.limit:
            refuse(503, f"{self.count} images are being predicted", (b"retry-after", b"1"))
        self.count += images

    def leave(self, images: int) -> None:
        """Images that were counted are answered."""
        self.count -= images
