"""A finder that facemon does not have, as a contributor would add it: the whole image as one face with a margin.

Run as a script it is the command `facemon` with this finder.
"""

from typing import TYPE_CHECKING

from facemon.finders.finder import Finder
from facemon.finders.registry import FINDERS

if TYPE_CHECKING:
    from facemon.config.faces import FacesConfig
    from facemon.domain.image_input import Box
    from facemon.model.decoding import DecodedImage
    from facemon.model.faces import Face


class Whole(Finder):
    """The image's own edges are the box, so that crops go beyond it."""

    name = "whole"
    searches = False
    finds_several = False

    def load(self, config: "FacesConfig", *, fast: bool) -> "WholeFrame":
        """Return what takes the image's edges for the box."""
        return WholeFrame()


class WholeFrame:
    """One face in each image."""

    def find(self, decoded: "DecodedImage", given: "Box | None") -> "list[Face]":
        """Return one face with a box."""
        from facemon.model.faces import Face

        return [Face(decoded, (0, 0, decoded.size[0] - 1, decoded.size[1] - 1))]

    def weights(self) -> tuple[bytes, ...]:
        """Return none."""
        return ()


if __name__ == "__main__":
    from facemon.cli.main import main

    FINDERS[Whole.name] = Whole()
    main()
