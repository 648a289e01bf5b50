"""The finder of a manifest's boxes."""

from facemon.model.decoding import DecodedImage
from facemon.model.faces import Face
from facemon.values.image_input import Box


class GivenFaces:
    """The finder `manifest`: an image's face is where its manifest says; without a box there is none."""

    def find(self, decoded: DecodedImage, given: Box | None) -> list[Face]:
        """The face of the box that was given, where any of it lies in the image."""
        if given is None or not _touches(given, decoded.size):
            return []
        return [Face(decoded, given)]

    def weights(self) -> tuple[bytes, ...]:
        """None."""
        return ()


def _touches(box: Box, size: tuple[int, int]) -> bool:
    return box[0] < size[0] and box[1] < size[1] and box[2] >= 0 and box[3] >= 0
