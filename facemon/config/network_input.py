"""How a network's input is made from an image or a face: the key `input` of a network."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from facemon.config.quantities import Finite, Name
from facemon.config.section import MisfitError, Section

_LONGEST_SIDE = 16_384
Triple = Annotated[tuple[Finite, ...], Field(strict=False, min_length=1, max_length=3)]
Resample = Literal[
    "nearest", "bilinear", "bicubic", "lanczos", "opencv_bilinear", "opencv_cubic", "opencv_lanczos4", "opencv_area"
]


class PadConfig(Section):
    """What `fit: pad` adds to an image to reach the input's proportions."""

    colour: Annotated[tuple[Annotated[int, Field(ge=0, le=255)], ...], Field(strict=False)] = (0, 0, 0)
    """Red, green and blue of the border, whatever order the network's channels have."""
    side: Literal["centre", "end"] = "centre"
    """`centre` adds to both sides, an odd pixel to the right and the bottom; `end` adds only there."""
    rounding: Literal["nearest", "down"] = "nearest"
    """How the sides of the resized image become whole pixels, as by Python's `round` or by its `int`."""

    @field_validator("colour")
    @classmethod
    def _colour_has_three_numbers(cls, colour: tuple[int, ...]) -> tuple[int, ...]:
        if len(colour) != 3:
            raise ValueError(f"has {len(colour)} numbers; a colour is [red, green, blue], each from 0 to 255")
        return colour


class GrayConfig(Section):
    """How `channels: gray` becomes one level from red, green and blue: the luma of ITU-R BT.601."""

    by: Literal["pillow", "opencv"] = "pillow"
    """Whose rounding: that of Pillow's `convert("L")`, or that of OpenCV's `cvtColor` with COLOR_BGR2GRAY."""
    when: Literal["after", "before"] = "after"
    """Whether the image is made gray `after` it is resized or `before`."""


class InputConfig(Section):
    """How a network's input is made from an image or a face.

    A pixel becomes `(pixel * scale - mean) / std`, per channel in the order that `channels` names.
    """

    name: Name
    """The name of the input in the file."""
    size: Annotated[tuple[int, int], Field(strict=False)]
    """Width and height in pixels."""
    layout: Literal["nchw", "nhwc"] = "nchw"
    """Whether channels stand before height and width (`nchw`) or after them (`nhwc`)."""
    channels: Literal["rgb", "bgr", "gray"] = "rgb"
    """The order of the colours, or `gray` for one level a pixel."""
    gray: GrayConfig | None = None
    """For `channels: gray` alone; none = by Pillow, after resizing."""
    fit: Literal["stretch", "crop", "pad"] = "stretch"
    """How an image of other proportions gets those of the input: it is stretched, or what is beyond them is cut off
    (`crop`), or a border is added (`pad`)."""
    pad: PadConfig | None = None
    """For `fit: pad` alone; none = black on both sides."""
    shorter_side: Annotated[int, Field(ge=1, le=_LONGEST_SIDE)] | None = None
    """For `fit: crop`: the image is first resized so that its shorter side has so many pixels, then the middle is cut
    out in whole pixels, as torchvision's Resize and CenterCrop do; none = resized no further than needed."""
    resample: Resample = "bilinear"
    """Pillow's filters, which widen when they shrink; `opencv_bilinear`, `opencv_cubic` and `opencv_lanczos4` do not,
    as `cv2.resize` with INTER_LINEAR (its default), INTER_CUBIC and INTER_LANCZOS4; `opencv_area` is INTER_AREA."""
    enlarge: Resample | None = None
    """The filter where the longer side of the image grows; none = `resample`."""
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1 / 255
    """What a pixel, from 0 to 255, is multiplied by."""
    mean: Triple = (0.0, 0.0, 0.0)
    """What is then subtracted: one number, or one for each channel."""
    std: Triple = (1.0, 1.0, 1.0)
    """What is then divided by: one number, or one for each channel."""

    @field_validator("size")
    @classmethod
    def _size_is_positive(cls, size: tuple[int, int]) -> tuple[int, int]:
        if not 1 <= min(size) <= max(size) <= _LONGEST_SIDE:
            raise ValueError(f"width and height must be at least 1 and at most {_LONGEST_SIDE}")
        return size

    @field_validator("std")
    @classmethod
    def _std_is_not_zero(cls, std: tuple[float, ...]) -> tuple[float, ...]:
        if 0 in std:
            raise ValueError("a standard deviation of 0 would divide by zero")
        return std

    @model_validator(mode="after")
    def _keys_fit_the_fit(self) -> Self:
        if self.pad is not None and self.fit != "pad":
            raise MisfitError((("pad",), f"fit: {self.fit} adds no border; write fit: pad"))
        if self.shorter_side is not None:
            if self.fit != "crop":
                raise MisfitError((("shorter_side",), f"fit: {self.fit} cuts nothing off; write fit: crop"))
            if self.shorter_side < max(self.size):
                message = f"must be at least {max(self.size)}, the input's longer side"
                raise MisfitError((("shorter_side",), message))
        return self

    @model_validator(mode="after")
    def _gray_is_gray(self) -> Self:
        if self.gray is not None and self.channels != "gray":
            raise MisfitError((("gray",), f"channels: {self.channels} has colours; write channels: gray"))
        return self

    @model_validator(mode="after")
    def _one_number_a_channel(self) -> Self:
        channels = 1 if self.channels == "gray" else 3
        for key, numbers in (("mean", self.mean), ("std", self.std)):
            if len(numbers) not in (channels, 3 if channels == 1 else channels):
                plural = "s" if channels > 1 else ""
                raise MisfitError(((key,), f"has {len(numbers)} numbers for {channels} channel{plural}"))
        return self
