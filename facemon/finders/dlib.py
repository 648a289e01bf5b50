"""dlib's frontal face detector, with dlib's own aligned images of the faces."""

from math import inf
from typing import TYPE_CHECKING

from facemon.finders.finder import Finder

if TYPE_CHECKING:
    from facemon.config.faces import FacesConfig
    from facemon.model.dlib_faces import DlibFinder


class Dlib(Finder):
    """dlib's detector, whose scores have no upper limit."""

    name = "dlib"
    has_chips = True
    highest_confidence = inf

    def load(self, config: "FacesConfig", *, fast: bool) -> "DlibFinder":
        """Return dlib's detector; FacemonError where dlib is not installed."""
        from facemon.model.dlib_faces import DlibFinder

        return DlibFinder(config, fast=fast)
