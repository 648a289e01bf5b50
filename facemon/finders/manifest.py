"""Faces are where a manifest says."""

from typing import TYPE_CHECKING

from facemon.finders.finder import Finder

if TYPE_CHECKING:
    from facemon.config.faces import FacesConfig
    from facemon.domain.image_input import Box
    from facemon.model.decoding import DecodedImage
    from facemon.model.faces import Face


class ManifestBoxes(Finder):
    """The boxes of a manifest's rows."""

    name = "manifest"
    searches = False
    takes_boxes = True
    finds_several = False

    def load(self, config: "FacesConfig", *, fast: bool) -> "GivenFaces":
        """Return what takes the given box for the face."""
        return GivenFaces()


class GivenFaces:
    """The finder `manifest`: an image's face is where its manifest says; without a box it finds none."""

    def find(self, decoded: "DecodedImage", given: "Box | None") -> "list[Face]":
        """The face of the box that was given, where any of it lies in the image."""
        from facemon.model.faces import Face, touches

        if given is None or not touches(given, decoded.size):
            return []
        return [Face(decoded, given)]

    def weights(self) -> tuple[bytes, ...]:
        """None."""
        return ()
