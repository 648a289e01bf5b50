"""A face detector that is described as data and run by onnxruntime."""

from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from facemon.config.detector import DetectorConfig
from facemon.config.faces import FacesConfig
from facemon.domain.image_input import Box
from facemon.errors import FacemonError
from facemon.model.box_decoding import Candidates, decode_candidates, distinct
from facemon.model.decoding import DecodedImage
from facemon.model.description_faults import input_misfits, what_is_there
from facemon.model.faces import Face, NoNumberError, whole_box
from facemon.model.fitting import placement, resized_size
from facemon.model.graph import INPUT_TYPES
from facemon.model.graph_files import GraphFile
from facemon.model.input_tensor import input_batch, input_pixels
from facemon.printable import Lines, printable

_SCORE = 0.7
"""The least score where the configuration names none, as in Ultra-Light's own code."""


class OnnxFinder:
    """Faces by a network whose input, outputs and decoding are described in `faces.detector`."""

    def __init__(self, config: FacesConfig, detector: DetectorConfig, file: Path) -> None:
        """FacemonError when the file cannot be read or run, or does not fit its description."""
        self._config = detector
        self._min_score = _SCORE if config.min_confidence is None else config.min_confidence
        self._file = GraphFile.read(file, "the face detector cannot be read", "check model.faces.weights")
        self._graph = self._file.opened()
        sections = (detector.scores, detector.boxes, *([detector.landmarks] if detector.landmarks else []))
        self._outputs = tuple(dict.fromkeys(name for section in sections for name in section.outputs))
        there = {tensor.name for tensor in self._graph.outputs}
        faults = list(input_misfits(detector.input, self._graph))
        faults += [f"  there is no output {name}" for name in self._outputs if name not in there]
        if faults:
            lines = [f"{file}: does not fit its description, model.faces.detector:", *faults]
            raise FacemonError(Lines("\n".join(map(printable, lines))), what_is_there(self._graph))
        with suppress(NoNumberError):
            self._candidates(Image.new("RGB", detector.input.size))  # a wrong form shows here, not at the first image

    def find(self, decoded: DecodedImage, given: Box | None) -> list[Face]:  # noqa: ARG002
        """The faces, the surest first; NoNumberError where the network's answer holds something else than numbers."""
        found = self._candidates(decoded.image)
        left, top, *_ = placement(decoded.image.size, self._config.input)
        # As public detectors do it: by the letterbox's factor before its sides are rounded, points like edges.
        scale = np.array(decoded.size) / resized_size(decoded.image.size, self._config.input)
        shift = np.array([left, top])
        boxes = (found.boxes - np.tile(shift, 2)) * np.tile(scale, 2)
        points = None if found.landmarks is None else (found.landmarks - shift) * scale
        faces = []
        for place in distinct(found, self._config.overlap):
            if box := whole_box(tuple(boxes[place].tolist()), decoded.size):
                own = None if points is None else tuple((x, y) for x, y in points[place].tolist())
                faces.append(Face(decoded, box, float(found.scores[place]), own))
        return faces

    def weights(self) -> tuple[bytes, ...]:
        """The network's file, and the digests of those in which it keeps weights."""
        return (self._file.content, *(digest.encode() for digest in self._file.weights()))

    def _candidates(self, image: Image.Image) -> Candidates:
        config = self._config.input
        batch = input_batch([input_pixels(image, config)], config, INPUT_TYPES[self._graph.inputs[0].type])
        found = decode_candidates(self._config, self._graph.run(config.name, batch, self._outputs), self._min_score)
        if not all(np.isfinite(numbers).all() for numbers in found if numbers is not None):
            raise NoNumberError
        return found
