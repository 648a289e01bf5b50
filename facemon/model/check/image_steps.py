"""What the description makes of one photograph, step by step: faces, crops, tensors, raw outputs, attributes."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from PIL import ExifTags, Image

from facemon.config.model import AttributeConfig, InputConfig
from facemon.domain.array_types import Floats
from facemon.domain.image_input import Box, ImageInput, ImageProblem
from facemon.errors import FacemonError
from facemon.model.alignment import Points
from facemon.model.attribute_decoding import has_no_number, read_attribute
from facemon.model.bounded_decoding import Undecoded
from facemon.model.bundle import Bundle, Network
from facemon.model.decoding import DecodedImage
from facemon.model.faces import Face, View
from facemon.model.fitting import fit_image
from facemon.model.graph import Numbers
from facemon.model.image_opening import open_image, pillow_names
from facemon.model.image_reading import ImageReader
from facemon.model.input_tensor import channel_count, input_pixels
from facemon.model.prediction_rows import ImageOutcome

_SHOWN_NUMBERS = 8
_KEPT_NUMBERS = 1024
_USUAL_FRACTIONS, _USUAL_BYTES = (-3.0, 3.0), (-256.0, 256.0)
_WIDEST_FRACTIONS = 10.0
_COLOURS = {"rgb": ("red", "green", "blue"), "bgr": ("blue", "green", "red"), "gray": ("gray",)}

KeepCrop = Callable[[ImageInput, int, int, str, Image.Image], str]
"""From an image, the numbers of a face and of a network, what the picture is and the picture to its file's name."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of a tensor; numbers are of its finite values, none where it has none."""

    name: str
    min: float | None
    mean: float | None
    max: float | None
    std: float | None
    unusual: float
    """The share of values outside the usual range."""
    no_number: int
    """Values that are infinite or not a number."""


@dataclass(frozen=True, slots=True)
class Output:
    """One raw output of a network for one face, flattened."""

    name: str
    count: int
    numbers: tuple[float | None, ...]
    """The first of them."""
    min: float | None
    max: float | None
    sum: float | None
    no_number: int
    kept: Floats
    """At most 1,024 of its numbers, evenly spaced, by which faces are compared."""


@dataclass(frozen=True, slots=True)
class NetworkSteps:
    """What one network was shown of a face, and what it returned."""

    network: str
    crop: tuple[int, int]
    """Width and height of the picture that was cut out."""
    files: tuple[str, ...]
    """The pictures that were written."""
    is_flat: bool
    """Whether the network sees one colour only."""
    usual: tuple[float, float]
    """The range in which tensors of such a normalisation usually lie."""
    channels: tuple[Channel, ...]
    outputs: tuple[Output, ...]


@dataclass(frozen=True, slots=True)
class AttributeRead:
    """One attribute of a face as it is read; what its kind does not have is none, and all where `fault` says why."""

    label: str | None = None
    confidence: float | None = None
    value: float | None = None
    fault: FacemonError | None = None


@dataclass(frozen=True, slots=True)
class FaceSteps:
    """One face of an image."""

    box: Box | None
    confidence: float | None
    """The finder's own score."""
    points: Points | None
    """Its five landmarks, where the finder gives them."""
    networks: tuple[NetworkSteps, ...]
    columns: Mapping[str, Floats]
    """Each attribute's own numbers, [1, width]."""
    attributes: Mapping[str, AttributeRead]


@dataclass(frozen=True, slots=True)
class ImageSteps:
    """One image."""

    outcome: ImageOutcome
    orientation: int | None
    """EXIF's number for how the stored pixels are turned; none where the file does not say."""
    size: tuple[int, int] | None
    """Width and height of the upright image; none where it could not be decoded."""
    faces: tuple[FaceSteps, ...] = ()


def steps_of(
    bundle: Bundle,
    reader: ImageReader,
    given: ImageInput,
    at: datetime,
    keep: KeepCrop | None = None,
    use: Callable[[Face], None] | None = None,
) -> ImageSteps:
    """Run the description on one image; `keep` is given each picture that a network is shown, `use` each face.

    Trouble with the image is an outcome with a problem. FacemonError only for trouble with the model.
    """
    content = reader.content(given)
    if isinstance(content, ImageProblem):
        return ImageSteps(ImageOutcome(given, at, given.sha256, problem=content), None, None)
    sha256 = hashlib.sha256(content).hexdigest()
    decoded = reader.decode(given, content)
    if isinstance(decoded, Undecoded):
        return ImageSteps(ImageOutcome(given, at, sha256, problem=decoded.problem), None, None)
    turned = _orientation(content)
    faces = reader.faces(given, decoded)
    if isinstance(faces, ImageProblem):
        return ImageSteps(ImageOutcome(given, at, sha256, problem=faces), turned, decoded.size)
    steps = tuple(_face_steps(bundle, given, number, face, keep) for number, face in enumerate(faces))
    if use is not None:
        for face in faces:
            use(face)
    outcome = ImageOutcome(
        given, at, sha256,
        boxes=tuple(face.box for face in faces),
        confidences=tuple(face.confidence for face in faces),
        shares=(None,) * len(faces),
    )  # fmt: skip
    return ImageSteps(outcome, turned, decoded.size, steps)


def faces_in(reader: ImageReader, given: ImageInput) -> list[Face]:
    """Find the faces of an image again; none where it can no longer be read."""
    content = reader.content(given)
    decoded = None if isinstance(content, ImageProblem) else reader.decode(given, content)
    faces = reader.faces(given, decoded) if isinstance(decoded, DecodedImage) else []
    return [] if isinstance(faces, ImageProblem) else faces


def described_range(config: InputConfig) -> tuple[float, float]:
    """The numbers that black and white become, the least and the greatest over the channels."""
    count = channel_count(config)
    ends = [
        (level * config.scale - mean) / std
        for mean, std in zip(config.mean[:count], config.std[:count], strict=True)
        for level in (0, 255)
    ]
    return min(ends), max(ends)


def _face_steps(bundle: Bundle, given: ImageInput, number: int, face: Face, keep: KeepCrop | None) -> FaceSteps:
    networks, columns = [], dict[str, Floats]()
    for index, network in enumerate(bundle.networks):
        view = View.of(network.config, bundle.config.faces)
        crop = face.seen(view)
        pixels = input_pixels(crop, network.config.input)
        batch = network.batch([pixels])
        outputs = network.outputs(batch)
        for name, own in network.columns(outputs).items():
            columns[name] = columns[name] + own if name in columns else own
        files = []
        if keep is not None:
            if face.box is not None:
                files.append(keep(given, number, index, "crop", crop))
            files.append(keep(given, number, index, "input", fit_image(crop, network.config.input)))
        networks.append(_network_steps(network, crop.size, tuple(files), pixels, batch[0], outputs))
    columns = {name: own / bundle.averaged.get(name, 1) for name, own in columns.items()}
    read = {each.name: _read(each, columns[each.name]) for each in bundle.config.attributes}
    return FaceSteps(face.box, face.confidence, face.points, tuple(networks), columns, read)


def _network_steps(
    network: Network,
    crop: tuple[int, int],
    files: tuple[str, ...],
    pixels: Numbers,
    tensor: Numbers,
    outputs: Mapping[str, Numbers],
) -> NetworkSteps:
    config = network.config.input
    low, high = described_range(config)
    usual = _USUAL_FRACTIONS if high - low <= _WIDEST_FRACTIONS else _USUAL_BYTES
    by_channel = tensor if config.layout == "nchw" else np.moveaxis(tensor, -1, 0)
    channels = tuple(
        _channel(name, values.ravel(), usual)
        for name, values in zip(_COLOURS[config.channels], by_channel, strict=True)
    )
    is_flat = bool(np.ptp(pixels.reshape(-1, pixels.shape[-1]), axis=0).max() <= 1)
    read = tuple(_output(name, output[0].ravel()) for name, output in outputs.items())
    return NetworkSteps(network.name, crop, files, is_flat, usual, channels, read)


def _channel(name: str, values: Numbers, usual: tuple[float, float]) -> Channel:
    numbers = np.asarray(values, np.float64)
    finite = numbers[np.isfinite(numbers)]
    outside = len(numbers) - int(((finite >= usual[0]) & (finite <= usual[1])).sum())
    known = [float(each) for each in (finite.min(), finite.mean(), finite.max(), finite.std())] if len(finite) else []
    least, mean, most, spread = known or (None,) * 4
    return Channel(name, least, mean, most, spread, outside / len(numbers), len(numbers) - len(finite))


def _output(name: str, values: Numbers) -> Output:
    numbers = np.asarray(values, np.float64)
    finite = numbers[np.isfinite(numbers)]
    known = [float(each) for each in (finite.min(), finite.max(), finite.sum())] if len(finite) else [None] * 3
    kept = numbers[:: -(-len(numbers) // _KEPT_NUMBERS) or 1]
    first = tuple(float(each) if np.isfinite(each) else None for each in numbers[:_SHOWN_NUMBERS])
    return Output(name, len(numbers), first, known[0], known[1], known[2], len(numbers) - len(finite), kept)


def _read(attribute: AttributeConfig, columns: Floats) -> AttributeRead:
    no_number = FacemonError(f"the model gave no number for {attribute.name}", "see the outputs above")
    if has_no_number(columns).any():
        return AttributeRead(fault=no_number)
    try:
        reading = read_attribute(attribute, columns)
    except FacemonError as error:
        return AttributeRead(fault=error)
    if reading.value is not None and has_no_number(reading.value).any():
        return AttributeRead(fault=no_number)
    return AttributeRead(
        None if reading.codes is None else attribute.classes[int(reading.codes[0])],
        _first(reading.confidence),
        _first(reading.value),
    )


def _first(numbers: Any) -> float | None:
    return None if numbers is None else float(numbers[0])


def _orientation(content: bytes) -> int | None:
    """EXIF's tag 274 of an image that could be decoded."""
    try:
        found = open_image(content, pillow_names()).getexif().get(ExifTags.Base.Orientation)
    except (OSError, ValueError, SyntaxError, TypeError):
        return None
    return found if isinstance(found, int) else None


def faces_of(images: Sequence[ImageSteps]) -> list[FaceSteps]:
    """All faces, in the order of the images."""
    return [face for image in images for face in image.faces]
