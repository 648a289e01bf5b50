"""What a face is to the networks, how finders are asked for faces, and which finder a configuration names."""

from collections.abc import Sequence
from math import prod
from typing import NamedTuple, Protocol

from PIL import Image

from facemon.config.model import FacesConfig
from facemon.model.decoding import DecodedImage
from facemon.values.image_input import Box


class Face(NamedTuple):
    """One face of an image."""

    box: Box | None
    """In pixels of the whole upright image; none where the image is the face."""
    confidence: float | None
    """The finder's own score, whose range is the finder's; none where nothing was searched."""
    chips: dict[int, Image.Image]
    """An image of the face for each asked side; nearly square, or to be fitted to the network's input."""


class FaceFinder(Protocol):
    """Finds faces; may be asked by several threads at once."""

    def find(self, decoded: DecodedImage, sides: Sequence[int], given: Box | None) -> list[Face]:
        """The faces of an upright RGB image, with chips of the given sides in pixels; `given` is a manifest's box."""

    def weights(self) -> tuple[bytes, ...]:
        """The contents of the files that decide what is found."""


class WholeImage:
    """The finder `none`: each image is one face."""

    def find(self, decoded: DecodedImage, sides: Sequence[int], given: Box | None) -> list[Face]:  # noqa: ARG002
        """The image itself, for whatever side."""
        return [Face(None, None, dict.fromkeys(sides, decoded.image))]

    def weights(self) -> tuple[bytes, ...]:
        """None."""
        return ()


class Chosen:
    """Of another finder's faces those that are large enough, and of these all or the largest."""

    def __init__(self, finder: FaceFinder, config: FacesConfig) -> None:
        self._finder = finder
        self._min_size = config.min_size
        self._only_largest = config.keep == "largest"

    def find(self, decoded: DecodedImage, sides: Sequence[int], given: Box | None) -> list[Face]:
        """The chosen faces in the finder's order."""
        faces = [face for face in self._finder.find(decoded, sides, given) if min(_sides(face)) >= self._min_size]
        if self._only_largest and len(faces) > 1:
            return [max(faces, key=lambda face: prod(_sides(face)))]
        return faces

    def weights(self) -> tuple[bytes, ...]:
        """The other finder's."""
        return self._finder.weights()


def face_finder(config: FacesConfig, *, fast: bool = False) -> FaceFinder:
    """The finder that the configuration names, `fast` where it may pass over small faces.

    FacemonError when what it needs is not installed.
    """
    finder: FaceFinder
    match config.finder:
        case "none":
            return WholeImage()
        case "dlib":
            from facemon.model.dlib_faces import DlibFinder

            finder = DlibFinder(config, fast=fast)
        case "yunet":
            from facemon.model.yunet_faces import YuNetFinder

            finder = YuNetFinder(config, fast=fast)
        case "manifest":
            from facemon.model.given_faces import GivenFaces

            finder = GivenFaces(config)
    return finder if config.min_size == 1 and config.keep == "all" else Chosen(finder, config)


def _sides(face: Face) -> tuple[int, int]:
    left, top, right, bottom = face.box or (0, 0, 0, 0)
    return right - left + 1, bottom - top + 1
