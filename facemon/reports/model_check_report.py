"""A check of a model on photographs: the steps of some of them, what looks wrong, and what labels say."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.domain.counted import counted
from facemon.printable import printable
from facemon.reports.printed_parts import Part, Table
from facemon.reports.trial_report import trial_report

if TYPE_CHECKING:
    from facemon.config.model import AttributeConfig
    from facemon.evaluation.alternative_scores import Trial
    from facemon.model.check.image_steps import AttributeRead, FaceSteps, ImageSteps, NetworkSteps
    from facemon.model.check.suspicions import Suspicion

_SHOWN_IMAGES = 3
_SHOWN_NUMBERS = 4
_UNKNOWN = "-"
_TURNS = {
    1: "upright", 2: "mirrored", 3: "upside down", 4: "upside down, mirrored", 5: "turned left, mirrored",
    6: "turned left", 7: "turned right, mirrored", 8: "turned right",
}  # fmt: skip
"""How EXIF says that the stored pixels lie; facemon turns them upright."""


def model_check_report(
    images: "Sequence[ImageSteps]",
    attributes: "Sequence[AttributeConfig]",
    suspicions: "Sequence[Suspicion]",
    trial: "Trial | None",
    crops: Path | None,
) -> Iterator[Part]:
    """Yield what a check of the model found; `crops` is the folder that crops were written to, if any."""
    shown = 0
    for image in images:
        if image.outcome.problem is not None or shown < _SHOWN_IMAGES:
            yield from _image(image, attributes, crops)
            shown += bool(image.faces)
    if (more := sum(bool(image.faces) for image in images) - shown) > 0:
        yield f"The steps of {more} more images are not shown; --format json has them all.\n"
    for each in suspicions:
        yield from map(printable, (f"{each.where}: {each.message}", f"  hint: {each.hint}"))
    if trial is not None:
        yield from trial_report(trial)
    yield _summary(images, suspicions)


def _summary(images: "Sequence[ImageSteps]", suspicions: "Sequence[Suspicion]") -> str:
    faces = sum(len(image.faces) for image in images)
    count = f"{counted(len(images), 'image', grouped=True)}, {counted(faces, 'face', grouped=True)}"
    if not faces:
        return f"{count}: nothing to check"
    wrong = len(suspicions)
    return f"{count}: {counted(wrong, 'thing looks', 'things look') if wrong else 'nothing looks'} wrong"


def _image(image: "ImageSteps", attributes: "Sequence[AttributeConfig]", crops: Path | None) -> Iterator[Part]:
    name, problem = printable(image.outcome.given.name), image.outcome.problem
    size = "" if image.size is None else f": {image.size[0]} x {image.size[1]} pixels"
    turn = f", EXIF orientation {image.orientation}" if image.orientation is not None else ""
    meaning = f" ({_TURNS[image.orientation]})" if image.orientation in _TURNS else ""
    trouble = f": {problem.code.value}: {printable(problem.message)}" if problem else ""
    yield f"{name}{size}{turn}{meaning}{trouble}"
    for number, face in enumerate(image.faces):
        yield _face_line(number, face)
        for network in face.networks:
            width, height = network.crop
            yield f"{printable(network.network)}: crop {width} x {height} pixels"
            for file in network.files:
                yield f"  wrote {printable(str(crops))}/{file}"
            yield Table(_CHANNEL_COLUMNS, tuple(_channels(network)))
            yield Table(_OUTPUT_COLUMNS, tuple(_outputs(network)))
        rows = ((each.name, *_attribute(face.attributes[each.name])) for each in attributes)
        yield Table(("attribute", "label", "confidence", "value"), tuple(rows))
    yield ""


def _face_line(number: int, face: "FaceSteps") -> str:
    if face.box is None:
        return f"face {number}: the whole image"
    score = "" if face.confidence is None else f", score {face.confidence:.3g}"
    return f"face {number}: box {', '.join(map(str, face.box))}{score}{', 5 landmarks' if face.points else ''}"


_CHANNEL_COLUMNS = ("channel", "min", "mean", "max", "std", "outside usual range", "not numbers")
_OUTPUT_COLUMNS = ("output", "numbers", "min", "max", "sum", "first")


def _channels(network: "NetworkSteps") -> Iterator[tuple[str, ...]]:
    low, high = network.usual
    for each in network.channels:
        outside = f"{each.unusual:.0%} ({low:g} to {high:g})".replace("%", " %")
        numbers = map(_number, (each.min, each.mean, each.max, each.std))
        yield each.name, *numbers, outside, str(each.no_number)


def _outputs(network: "NetworkSteps") -> Iterator[tuple[str, ...]]:
    for each in network.outputs:
        first = ", ".join(map(_number, each.numbers[:_SHOWN_NUMBERS]))
        more = " …" if each.count > _SHOWN_NUMBERS else ""
        yield each.name, str(each.count), *map(_number, (each.min, each.max, each.sum)), f"{first}{more}"


def _attribute(read: "AttributeRead") -> tuple[str, str, str]:
    if read.fault is not None:
        return "cannot be read", _UNKNOWN, _UNKNOWN
    return read.label or _UNKNOWN, _number(read.confidence), _number(read.value)


def _number(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.4g}"
