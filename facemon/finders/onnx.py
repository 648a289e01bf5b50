"""A face detector that `faces.detector` describes, run by onnxruntime."""

from typing import TYPE_CHECKING

from facemon.finders.finder import Finder, Landmarks

if TYPE_CHECKING:
    from facemon.config.faces import FacesConfig
    from facemon.model.onnx_faces import OnnxFinder


class OnnxDetector(Finder):
    """Any network whose input, outputs and decoding the configuration describes."""

    name = "onnx"
    needs = ("weights", "detector")
    highest_confidence = 1.0
    landmarks = Landmarks.DESCRIBED

    def load(self, config: "FacesConfig", *, fast: bool) -> "OnnxFinder":
        """Return the described detector; FacemonError where the file does not fit its description."""
        from facemon.model.onnx_faces import OnnxFinder

        if config.detector is None or config.weights is None:
            raise ValueError("the finder onnx needs a detector and weights")
        return OnnxFinder(config, config.detector, config.weights)
