"""YuNet, the face detector of OpenCV's model collection."""

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from facemon.finders.finder import Finder, Landmarks

if TYPE_CHECKING:
    from facemon.config.faces import FacesConfig
    from facemon.model.yunet_faces import YuNetFinder

_OUTPUT = re.compile(r"(cls|obj|bbox|kps)_(8|16|32)")


class YuNet(Finder):
    """YuNet's network in the user's file, run by OpenCV."""

    name = "yunet"
    needs = ("weights",)
    highest_confidence = 1.0
    landmarks = Landmarks.ALWAYS
    network = "YuNet"

    def runs(self, outputs: Collection[str]) -> bool:
        """Return whether the outputs are named like YuNet's, at least one of each kind."""
        kinds = {match[1] for name in outputs if (match := _OUTPUT.fullmatch(name))}
        return kinds == {"cls", "obj", "bbox", "kps"}

    def load(self, config: "FacesConfig", *, fast: bool) -> "YuNetFinder":
        """Return OpenCV's FaceDetectorYN; FacemonError where OpenCV is not installed or the weights are others."""
        from facemon.model.yunet_faces import YuNetFinder

        return YuNetFinder(config, fast=fast)
