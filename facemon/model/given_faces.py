"""The finder of a manifest's boxes."""

from facemon.domain.image_input import Box
from facemon.model.decoding import DecodedImage
from facemon.model.faces import Face, touches


class GivenFaces:
    """The finder `manifest`: an image's face is where its manifest says; without a box there is none."""

    def find(self, decoded: DecodedImage, given: Box | None) -> list[Face]:
        """The face of the box that was given, where any of it lies in the image."""
        if given is None or not touches(given, decoded.size):
            return []
        return [Face(decoded, given)]

    def weights(self) -> tuple[bytes, ...]:
        """None."""
        return ()
