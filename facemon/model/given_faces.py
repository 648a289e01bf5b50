"""Faces whose boxes are known: cut out of the image with a margin; and the finder of a manifest's boxes."""

from collections.abc import Sequence

from PIL import Image

from facemon.config.model import FacesConfig
from facemon.model.decoding import DecodedImage
from facemon.model.faces import Face
from facemon.values.image_input import Box


class GivenFaces:
    """The finder `manifest`: an image's face is where its manifest says; without a box there is none."""

    def __init__(self, config: FacesConfig) -> None:
        self._margin = config.margin

    def find(self, decoded: DecodedImage, sides: Sequence[int], given: Box | None) -> list[Face]:
        """The face of the box that was given, where any of it lies in the image."""
        if given is None or not _touches(given, decoded.size):
            return []
        return [cut_face(decoded, given, None, self._margin, sides)]

    def weights(self) -> tuple[bytes, ...]:
        """None."""
        return ()


def cut_face(decoded: DecodedImage, box: Box, confidence: float | None, margin: float, sides: Sequence[int]) -> Face:
    """The face in a box of the whole image.

    Its chip is the square around the box's centre whose side is the longer one of the box, and `margin` times that
    more on each side; what lies outside the image is black.
    """
    scale = decoded.image.width / decoded.size[0]
    left, top, right, bottom = (edge * scale for edge in (box[0], box[1], box[2] + 1, box[3] + 1))
    half = max(right - left, bottom - top) * (0.5 + margin)
    x, y = (left + right) / 2, (top + bottom) / 2
    chip = decoded.image.crop((round(x - half), round(y - half), round(x + half), round(y + half)))
    if min(chip.size) == 0:
        chip = Image.new("RGB", (1, 1))
    return Face(box, confidence, dict.fromkeys(sides, chip))


def _touches(box: Box, size: tuple[int, int]) -> bool:
    return box[0] < size[0] and box[1] < size[1] and box[2] >= 0 and box[3] >= 0
