"""From one input of a run to its faces: read within limits, decoded within a budget, searched by the model's finder."""

from datetime import datetime
from functools import partial

from facemon.config.serving import PredictConfig
from facemon.domain.image_input import Box, ImageInput, ImageProblem
from facemon.domain.prediction import ErrorCode
from facemon.finders.registry import finder_of
from facemon.model.bounded_decoding import BoundedDecoder, Undecoded
from facemon.model.bundle import Bundle
from facemon.model.crops import crop_size
from facemon.model.decoding import DecodedImage, pixel_limit, read_image
from facemon.model.faces import Face, NoNumberError, View
from facemon.model.fitting import resized_size
from facemon.model.image_features import LONG_SIDE


class ImageReader:
    """Reads and searches images as a model's description and the limits say; several threads may use it at once."""

    def __init__(self, bundle: Bundle, limits: PredictConfig) -> None:
        self._bundle = bundle
        finder = finder_of(bundle.config.faces)
        # Where faces are searched for, the whole image is looked at; given boxes say what matters.
        self._shrinks = bundle.decodes_fast and not finder.searches
        self._takes_boxes = finder.takes_boxes
        self._networks = [(network, View.of(network, bundle.config.faces)) for network in bundle.config.networks]
        self._crops = tuple(dict.fromkeys(view.cut.crop for _, view in self._networks if view.cut.crop is not None))
        self._max_bytes = limits.max_bytes
        self._max_pixels = limits.max_pixels
        self._decoder = BoundedDecoder(limits)

    def content(self, given: ImageInput) -> bytes | ImageProblem:
        """Return an input's bytes, or why they cannot be had."""
        if given.problem is not None:
            return given.problem
        if given.content is None:
            if given.path is None:
                raise ValueError(f"the input {given.name} has neither a path nor content")
            return read_image(given.path, self._max_bytes, given.root, given.part)
        if len(given.content) > self._max_bytes:
            return ImageProblem(ErrorCode.TOO_LARGE, f"{len(given.content)} bytes; the limit is {self._max_bytes}")
        return given.content

    def decode(self, given: ImageInput, content: bytes, dated_by: datetime | None = None) -> DecodedImage | Undecoded:
        """Decode an input's bytes, no larger than the networks need; `dated_by` as for `decode_image`."""
        needed = partial(self._needed_size, self._box(given)) if self._shrinks else None
        return self._decoder.decode(content, dated_by=dated_by, needed=needed)

    def faces(self, given: ImageInput, decoded: DecodedImage) -> list[Face] | ImageProblem:
        """Return the faces of an image, at least one, or why there is none."""
        try:
            faces = self._bundle.finder.find(decoded, self._box(given))
        except NoNumberError:
            return ImageProblem(ErrorCode.NAN, "the face finder gave no number")
        if not faces:
            return ImageProblem(ErrorCode.NO_FACE, "no face was found")
        return self._too_large(faces) or faces

    def _too_large(self, faces: list[Face]) -> ImageProblem | None:
        """Say if a crop has more pixels than an image may have: a given box may be of another resolution."""
        limit = pixel_limit(self._max_pixels)
        for face in faces:
            for crop in self._crops:
                if face.box is None:
                    continue
                width, height = crop_size(face.decoded, face.box, crop)
                if width * height > limit:
                    what = f"the crop around the box {list(face.box)} has {width} x {height} pixels"
                    return ImageProblem(ErrorCode.TOO_LARGE, f"{what}; the limit is {limit} pixels in all")
        return None

    def _box(self, given: ImageInput) -> Box | None:
        """The input's box, none where the finder does not go by it: then it must change nothing."""
        return given.box if self._takes_boxes else None

    def _needed_size(self, box: Box | None, size: tuple[int, int]) -> tuple[float, float]:
        """How large an image of `size` must be decoded: twice what the networks and the features look at."""
        wide, high = size
        seen = (wide, high) if box is None else (max(1, box[2] - box[0]), max(1, box[3] - box[1]))
        shares = [LONG_SIDE / max(size)]
        for network, view in self._networks:
            across, down = resized_size(seen, network.input)
            left_of_box = view.cut.crop.shrinks_to if view.cut.crop is not None else 1
            shares += [across / seen[0] / left_of_box, down / seen[1] / left_of_box]
        share = max(shares)
        return 2 * share * wide, 2 * share * high
