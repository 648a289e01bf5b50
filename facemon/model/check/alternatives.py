"""The usual other descriptions of a network: what public training code does otherwise, one key at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from facemon.config.model import AttributeConfig, CropConfig, FacesConfig, InputConfig, NetworkConfig
from facemon.finders.registry import finder_of
from facemon.model.bundle import Network
from facemon.model.description_faults import input_misfits
from facemon.model.faces import View

_NORMALISATIONS: Mapping[str, tuple[float, tuple[float, ...], tuple[float, ...]]] = {
    "pixel / 255": (1 / 255, (0.0,), (1.0,)),
    "pixel / 256": (1 / 256, (0.0,), (1.0,)),
    "pixel": (1.0, (0.0,), (1.0,)),
    "(pixel - 127.5) / 127.5": (1.0, (127.5,), (127.5,)),
    "(pixel - 127.5) / 128": (1.0, (127.5,), (128.0,)),
    "ImageNet's mean and std": (1 / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "VGG's mean": (1.0, (123.68, 116.779, 103.939), (1.0,)),
}
"""Scale, mean and standard deviation, for red, green and blue; one number holds for all three."""
_FITS = ("stretch", "crop", "pad")
_FILTERS = ("bilinear", "opencv_bilinear")
_MARGINS = (0.0, 0.2, 0.4)
_CHANNELS = {"rgb": "bgr", "bgr": "rgb"}


class Kind(StrEnum):
    """Which step of a description an alternative changes; two of one kind exclude each other."""

    PIXELS = "pixels"
    CHANNELS = "channels"
    FIT = "fit"
    RESAMPLE = "resample"
    MARGIN = "margin"
    LABELS = "labels"
    ACTIVATION = "activation"


@dataclass(frozen=True, slots=True)
class Alternative:
    """One change of a description; what it does not change is none or empty."""

    kind: Kind
    change: str
    """The change in short."""
    input: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Keys of the network's input."""
    margin: float | None = None
    swaps_labels: bool = False
    activation: str | None = None

    @property
    def written(self) -> str:
        """The change as it is written into `facemon.yaml`."""
        if self.kind is not Kind.PIXELS:
            return self.change
        mean, std = (f"[{', '.join(f'{number:g}' for number in self.input[key])}]" for key in ("mean", "std"))
        # To the last digit: pixels are divided by 255 only where the scale is exactly 1/255.
        return f"scale: {self.input['scale']!r}, mean: {mean}, std: {std}"

    @property
    def is_reading(self) -> bool:
        """Whether the network sees the same and only its outputs are read otherwise."""
        return self.kind in (Kind.LABELS, Kind.ACTIVATION)


@dataclass(frozen=True, slots=True)
class Seen:
    """A network that sees faces in another way."""

    network: Network
    view: View


def input_alternatives(network: Network, faces: FacesConfig) -> Iterator[Alternative]:
    """The changes of what a network sees that make a difference to its description and fit its file."""
    for alternative in _input_changes(network.config, faces):
        seen = changed(network, faces, (alternative,))
        if not any(input_misfits(seen.network.config.input, network.graph)):
            yield alternative


def reading_alternatives(attribute: AttributeConfig) -> Iterator[Alternative]:
    """The changes of how an attribute is read."""
    if len(attribute.labels) == 2:
        swapped = ", ".join(reversed(attribute.labels))
        yield Alternative(Kind.LABELS, f"labels: [{swapped}]", swaps_labels=True)
    if attribute.activation != "none" and not attribute.average:
        yield Alternative(Kind.ACTIVATION, "activation: none", activation="none")


def changed(network: Network, faces: FacesConfig, alternatives: Sequence[Alternative]) -> Seen:
    """The network under a description with these changes, of which each is of another kind."""
    config = network.config
    margin = next((each.margin for each in alternatives if each.margin is not None), None)
    chip_margin = None
    if margin is not None:
        cut = faces.cut_for(config)
        if cut.crop is None:
            chip_margin = margin
        else:
            crop = cut.crop.model_copy(update={"margin": (margin,), "scale": None})
            config = config.model_copy(update={"crop": crop})
    seen = _changed_input(config.input, alternatives)
    config = config.model_copy(update={"input": seen})
    view = View.of(config, faces)._replace(chip_margin=chip_margin)
    return Seen(replace(network, config=config), view)


def _changed_input(config: InputConfig, alternatives: Sequence[Alternative]) -> InputConfig:
    keys = config.model_dump()
    # Last the channels: they take mean and standard deviation, whose order is theirs, along.
    for each in sorted(alternatives, key=lambda each: each.kind is Kind.CHANNELS):
        keys |= each.input
        if each.kind is Kind.CHANNELS:
            keys |= {key: tuple(reversed(keys[key])) for key in ("mean", "std")}
    return InputConfig.model_validate(keys)


def _input_changes(config: NetworkConfig, faces: FacesConfig) -> Iterator[Alternative]:
    given = config.input
    if other := _CHANNELS.get(given.channels):
        yield Alternative(Kind.CHANNELS, f"channels: {other}", {"channels": other})
    for name, (scale, mean, std) in _NORMALISATIONS.items():
        keys = {"scale": scale, "mean": _in_order(mean, given), "std": _in_order(std, given)}
        is_coloured = given.channels != "gray" or len(mean) == 1
        if is_coloured and _levels(InputConfig.model_validate(given.model_dump() | keys)) != _levels(given):
            yield Alternative(Kind.PIXELS, name, keys)
    for fit in _FITS:
        if fit != given.fit:
            yield Alternative(Kind.FIT, f"fit: {fit}", {"fit": fit, "pad": None, "shorter_side": None})
    for resample in _FILTERS:
        if resample != given.resample:
            yield Alternative(Kind.RESAMPLE, f"resample: {resample}", {"resample": resample})
    yield from _margins(config, faces)


def _margins(config: NetworkConfig, faces: FacesConfig) -> Iterator[Alternative]:
    cut = faces.cut_for(config)
    if not finder_of(faces).has_boxes or cut.align is not None:
        return
    for margin in _MARGINS:
        if cut.crop is None and margin != faces.margin:
            yield Alternative(Kind.MARGIN, f"faces.margin: {margin:g}", margin=margin)
        elif cut.crop is not None and not _has_margin(cut.crop, margin):
            yield Alternative(Kind.MARGIN, f"crop.margin: {margin:g}", margin=margin)


def _has_margin(crop: CropConfig, margin: float) -> bool:
    if crop.scale is not None:
        return abs(crop.scale - (1 + 2 * margin)) < 1e-9
    return set(crop.margins) == {margin}


def _in_order(colours: tuple[float, ...], config: InputConfig) -> tuple[float, ...]:
    """Numbers for red, green and blue in the order of the network's channels."""
    three = colours if len(colours) == 3 else colours * 3
    return tuple(reversed(three)) if config.channels == "bgr" else three


def _levels(config: InputConfig) -> tuple[float, ...]:
    """What black and white become, by which normalisations are compared that are written otherwise."""
    count = 1 if config.channels == "gray" else 3
    return tuple(
        round((level * config.scale - mean) / std, 6)
        for mean, std in zip(config.mean[:count], config.std[:count], strict=False)
        for level in (0, 255)
    )
