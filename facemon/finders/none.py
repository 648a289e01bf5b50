"""Each image is one face."""

from typing import TYPE_CHECKING

from facemon.finders.finder import Finder

if TYPE_CHECKING:
    from facemon.config.faces import FacesConfig
    from facemon.domain.image_input import Box
    from facemon.model.decoding import DecodedImage
    from facemon.model.faces import Face


class WholeImages(Finder):
    """The whole image is the face, and nothing is cut out."""

    name = "none"
    searches = False
    has_boxes = False
    finds_several = False

    def load(self, config: "FacesConfig", *, fast: bool) -> "WholeImage":
        """Return what takes the image for the face."""
        return WholeImage()


class WholeImage:
    """The finder `none`: each image is one face."""

    def find(self, decoded: "DecodedImage", given: "Box | None") -> "list[Face]":
        """The image itself."""
        from facemon.model.faces import Face

        return [Face(decoded)]

    def weights(self) -> tuple[bytes, ...]:
        """None."""
        return ()
