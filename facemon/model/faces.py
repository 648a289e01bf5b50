"""What a face is to the networks, how finders are asked for faces, and which finder a configuration names."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import NamedTuple, Protocol, Self

from PIL import Image

from facemon.config.model import CutConfig, FacesConfig, NetworkConfig
from facemon.domain.image_input import Box
from facemon.finders.registry import finder_of
from facemon.model.alignment import Points, aligned_face, can_align
from facemon.model.crops import cut_box
from facemon.model.decoding import DecodedImage


class View(NamedTuple):
    """What a network asks to see of a face."""

    size: tuple[int, int]
    """Width and height of the network's input."""
    cut: CutConfig
    """How the face is cut out; neither crop nor align = as its finder does it."""
    chip_margin: float | None = None
    """The border of the finder's own aligned image of the face; none = as the finder was told."""

    @classmethod
    def of(cls, network: NetworkConfig, faces: FacesConfig) -> Self:
        """The view of a network."""
        return cls(network.input.size, faces.cut_for(network))


@dataclass(frozen=True, slots=True)
class Face:
    """One face of an image."""

    decoded: DecodedImage
    box: Box | None = None
    """In pixels of the whole upright image; none where the image is the face."""
    confidence: float | None = None
    """The finder's own score, whose range is the finder's; none where nothing was searched."""
    points: Points | None = None
    """Its five landmarks, where the finder gives them."""
    aligned_chip: Callable[[int, float | None], Image.Image] | None = None
    """The finder's own aligned image of the face, by its side in pixels and its border (none = as the finder was told);
    none where it makes none."""

    def seen(self, view: View) -> Image.Image:
        """The face as a network asks to see it, still to be fitted to the network's input."""
        if self.box is None:
            if view.cut.crop is not None or view.cut.align is not None:
                raise ValueError("the finder says that faces have boxes and gave one without: nothing can be cut out")
            return self.decoded.image
        if view.cut.align is not None and self.points is not None:
            return aligned_face(self.decoded, self.points, view.cut.align, view.size)
        if view.cut.crop is not None:
            return cut_box(self.decoded, self.box, view.cut.crop)
        if self.aligned_chip is None:
            raise ValueError("the finder gives neither landmarks nor aligned faces, so the view needs a crop")
        return self.aligned_chip(max(view.size), view.chip_margin)  # square; an input that is not gets it fitted


class NoNumberError(Exception):
    """A finder's network answered infinity or something that is not a number."""


class FaceFinder(Protocol):
    """Finds faces; may be asked by several threads at once."""

    def find(self, decoded: DecodedImage, given: Box | None) -> list[Face]:
        """The faces of an upright RGB image; `given` is a manifest's box. NoNumberError where that is not known."""

    def weights(self) -> tuple[bytes, ...]:
        """The contents of the files that decide what is found."""


class _Chosen:
    """Of another finder's faces those that are large enough and can be cut out, and of these all or the largest."""

    def __init__(self, finder: FaceFinder, config: FacesConfig, *, aligned: bool = False) -> None:
        self._finder = finder
        self._aligned = aligned
        self._min_size = config.min_size
        self._only_largest = config.keep == "largest"

    def find(self, decoded: DecodedImage, given: Box | None) -> list[Face]:
        """The chosen faces in the finder's order."""
        faces = [face for face in self._finder.find(decoded, given) if min(_sides(face)) >= self._min_size]
        if self._aligned:
            faces = [face for face in faces if can_align(face.points)]
        if self._only_largest and len(faces) > 1:
            return [max(faces, key=lambda face: prod(_sides(face)))]
        return faces

    def weights(self) -> tuple[bytes, ...]:
        """The other finder's."""
        return self._finder.weights()


def face_finder(config: FacesConfig, *, fast: bool = False, aligned: bool = False) -> FaceFinder:
    """The finder that the configuration names, `fast` where it may pass over small faces.

    With `aligned` faces without landmarks, or with all of them in one place, are passed over.

    FacemonError when what it needs is not installed.
    """
    declared = finder_of(config)
    finder = declared.load(config, fast=fast)
    if not declared.has_boxes:
        return finder
    takes_all = config.min_size == 1 and config.keep == "all" and not aligned
    return finder if takes_all else _Chosen(finder, config, aligned=aligned)


def whole_box(edges: tuple[float, ...], size: tuple[int, int]) -> Box | None:
    """The box with these left, upper, right and lower edges as whole pixels; none where it has none in the image.

    What reaches out by more than the image's own width or height is cut there.
    """
    (left, top, right, bottom), (width, height) = edges, size
    left, right = max(left, -width), min(right, 2 * width)
    top, bottom = max(top, -height), min(bottom, 2 * height)
    box = (round(left), round(top), round(right) - 1, round(bottom) - 1)
    has_pixels = box[0] <= box[2] and box[1] <= box[3]
    return box if has_pixels and touches(box, size) else None


def touches(box: Box, size: tuple[int, int]) -> bool:
    """Whether any pixel of a box lies in an image of `size`."""
    return box[0] < size[0] and box[1] < size[1] and box[2] >= 0 and box[3] >= 0


def _sides(face: Face) -> tuple[int, int]:
    left, top, right, bottom = face.box or (0, 0, 0, 0)
    return right - left + 1, bottom - top + 1
