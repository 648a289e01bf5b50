"""What looks wrong in a description, as far as that shows without true labels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from facemon.config.model import AttributeConfig, InputConfig
from facemon.domain.array_types import Floats
from facemon.model.bundle import Bundle, Network
from facemon.model.check.image_steps import FaceSteps, ImageSteps, described_range, faces_of

_USUAL_RANGES = "0 to 1 (scale: 1/255), -1 to 1 (scale: 1, mean and std: 127.5), about -2.1 to 2.6 (ImageNet), 0 to 255"
_FRACTION_WIDTHS, _BYTE_WIDTHS = (0.5, 10.0), (200.0, 300.0)
_FEWEST_FACES = 3
"""So many faces at least must show what could be chance in one."""
_SATURATED = 0.9999
_ROUNDING = 1e-3
_SAME = 1e-5
"""Differences between faces below this share of an output's size are rounding."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Something that looks wrong: a code for programs, where, what, and what to do."""

    code: str
    where: str
    """The network or the attribute."""
    message: str
    hint: str


def suspicions(bundle: Bundle, images: Sequence[ImageSteps], attributes: Sequence[AttributeConfig]) -> list[Suspicion]:
    """All that looks wrong with the networks and with these attributes."""
    faces = faces_of(images)
    found: list[Suspicion] = []
    for index, network in enumerate(bundle.networks):
        found += _of_input(network, [face.networks[index].is_flat for face in faces])
        found += _of_outputs(network, index, faces, len({image.outcome.sha256 for image in images if image.faces}))
    for attribute in attributes:
        found += _of_attribute(attribute, faces)
    return found


def _of_input(network: Network, flat: Sequence[bool]) -> Iterator[Suspicion]:
    low, high = described_range(network.config.input)
    if not _is_usual(network.config.input):
        yield Suspicion(
            "range", network.name,
            f"black and white become numbers from {low:g} to {high:g}; the usual ranges are {_USUAL_RANGES}",
            "compare scale, mean and std of the input with the code that trained the network: "
            "(pixel * scale - mean) / std",
        )  # fmt: skip
    if any(flat):
        yield Suspicion(
            "flat", network.name, f"the network sees a single colour of {sum(flat)} of {len(flat)} faces",
            "look at the pictures that --crops writes",
        )  # fmt: skip


def _is_usual(config: InputConfig) -> bool:
    low, high = described_range(config)
    width = high - low
    is_width = any(least <= width <= most for least, most in (_FRACTION_WIDTHS, _BYTE_WIDTHS))
    # The range of a normalised image holds 0 or begins near it.
    return is_width and low <= width / 2 and high >= -width / 2


def _of_outputs(network: Network, index: int, faces: Sequence[FaceSteps], images: int) -> Iterator[Suspicion]:
    for place, name in enumerate(each.name for each in faces[0].networks[index].outputs) if faces else ():
        outputs = [face.networks[index].outputs[place] for face in faces]
        if broken := sum(output.no_number > 0 for output in outputs):
            yield Suspicion(
                "no_number", network.name,
                f"the output {name} holds infinity or not a number for {broken} of {len(faces)} faces",
                "compare scale, mean and std with the training code; float16 networks overflow above 65,504",
            )  # fmt: skip
        elif images > 1 and _are_same([output.kept for output in outputs]):
            yield Suspicion(
                "same_outputs", network.name,
                f"the output {name} is the same for all {len(faces)} faces of {images} different photographs",
                "the network does not see the image: compare scale, mean and std with the training code",
            )  # fmt: skip


def _are_same(rows: Sequence[Floats]) -> bool:
    numbers = np.stack(rows)
    return bool(np.ptp(numbers, axis=0).max(initial=0) <= _SAME * np.abs(numbers).max(initial=0))


def _of_attribute(attribute: AttributeConfig, faces: Sequence[FaceSteps]) -> Iterator[Suspicion]:
    read = [face.attributes[attribute.name] for face in faces]
    if fault := next((each.fault for each in read if each.fault is not None), None):
        count = sum(each.fault is not None for each in read)
        hint = fault.hint or "see the network's outputs above"
        yield Suspicion("unreadable", attribute.name, f"{fault.message} ({count} of {len(read)} faces)", hint)
        return
    if not faces:
        return
    columns = np.concatenate([face.columns[attribute.name] for face in faces])
    yield from _of_activation(attribute, columns)
    confidences = [each.confidence for each in read if each.confidence is not None]
    if len(confidences) >= _FEWEST_FACES and min(confidences) >= _SATURATED:
        yield Suspicion(
            "saturated", attribute.name,
            f"the confidence is {_SATURATED:g} or more for all {len(confidences)} faces",
            "a tensor with values that are too large does this: compare scale, mean and std with the training code",
        )  # fmt: skip


def _of_activation(attribute: AttributeConfig, columns: Floats) -> Iterator[Suspicion]:
    are_shares = bool(columns.min() >= -_ROUNDING and columns.max() <= 1 + _ROUNDING)
    if attribute.average or not are_shares:
        return
    if attribute.activation == "softmax" and np.all(np.abs(columns.sum(axis=1) - 1) <= _ROUNDING):
        yield Suspicion(
            "softmax_twice", attribute.name,
            f"the output {attribute.output} already holds probabilities that add up to 1, and activation is softmax",
            "write activation: none",
        )  # fmt: skip
    if attribute.activation == "sigmoid" and len(columns) >= _FEWEST_FACES:
        yield Suspicion(
            "sigmoid_twice", attribute.name,
            f"the output {attribute.output} lies between 0 and 1 for all {len(columns)} faces, as probabilities do, "
            "and activation is sigmoid, which makes at least 0.5 of them",
            "if the network ends in a sigmoid, write activation: none",
        )  # fmt: skip
