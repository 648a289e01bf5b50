"""The finders of faces there are, by the names that configurations give them."""

from typing import Protocol

from facemon.finders.dlib import Dlib
from facemon.finders.finder import Finder
from facemon.finders.manifest import ManifestBoxes
from facemon.finders.none import WholeImages
from facemon.finders.onnx import OnnxDetector
from facemon.finders.yunet import YuNet

FINDERS: dict[str, Finder] = {
    finder.name: finder for finder in (WholeImages(), Dlib(), YuNet(), OnnxDetector(), ManifestBoxes())
}
DEFAULT = WholeImages.name
"""The finder of a configuration that names none."""
DESCRIBED = OnnxDetector.name
"""The finder of a detector that `faces.detector` describes, as `facemon init` writes it."""


class _Faces(Protocol):
    @property
    def finder(self) -> str: ...


def finder_of(faces: _Faces) -> Finder:
    """Return the finder that a section `faces` names."""
    return FINDERS[faces.finder]


def finders_for_bare_images() -> tuple[list[str], list[str]]:
    """Return the names of the finders to change to where images bring no boxes and no detector is to be described.

    First those that give boxes, then those that take each image for one face.
    """
    fitting = [each for each in FINDERS.values() if not each.takes_boxes and "detector" not in each.needs]
    return [each.name for each in fitting if each.has_boxes], [each.name for each in fitting if not each.has_boxes]
