"""Images of faces to the batch that a network wants: fitted, in its channel order, normalised."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facemon.config.model import InputConfig
from facemon.config.network_input import GrayConfig
from facemon.model.fitting import fit_image
from facemon.model.pixel_lines import pixel_lines

_FEWEST_LEVELS = 16
"""Whole numbers over fewer values than this come from a description for fractions, such as `scale: 1/255`."""
_GRAY = GrayConfig()
_OPENCV_LUMA = (9798, 19235, 3735)
"""Shares of red, green and blue in 1/32768, as `cvtColor` of OpenCV 4 and 5 has them."""


def channel_count(config: InputConfig) -> int:
    """How many channels the network sees."""
    return 1 if config.channels == "gray" else 3


def input_pixels(image: Image.Image, config: InputConfig) -> NDArray[np.uint8]:
    """Fit an RGB image of any size to the input: [height, width, channels] in the network's channel order.

    Gray is the luma of ITU-R BT.601, rounded and taken when `config.gray` says.
    """
    gray = config.gray or _GRAY
    if config.channels == "gray" and gray.when == "before":
        image = Image.fromarray(np.repeat(_luma(image, gray), 3, axis=2))  # filters work on colours; gray stays gray
    fitted = fit_image(image, config)
    match config.channels:
        case "rgb":
            return _colours(fitted, config)
        case "bgr":
            return _colours(fitted, config)[:, :, ::-1]
        case "gray":
            return _luma(fitted, gray)


def _colours(image: Image.Image, config: InputConfig) -> NDArray[np.uint8]:
    """[height, width, 3] of an RGB image, in the order in memory that the network's layout is filled from fastest."""
    return pixel_lines(image).transpose(0, 2, 1) if config.layout == "nchw" else np.asarray(image)


def _luma(image: Image.Image, gray: GrayConfig) -> NDArray[np.uint8]:
    """[height, width, 1] of an RGB image; an image whose channels are equal stays what it is."""
    if gray.by == "pillow":
        return np.asarray(image.convert("L"))[:, :, np.newaxis]
    pixels, total = np.asarray(image), np.full((image.height, image.width), 1 << 14, np.int32)
    for channel, share in enumerate(_OPENCV_LUMA):
        total += pixels[:, :, channel] * np.int32(share)
    return (total >> 15).astype(np.uint8)[:, :, np.newaxis]


def input_batch(
    pixels: Sequence[NDArray[np.uint8]], config: InputConfig, dtype: type[np.generic] = np.float32
) -> NDArray[Any]:
    """Stack what `input_pixels` made to `(pixel * scale - mean) / std`, computed in float32 in that order.

    For double it is computed in float64; float16 is rounded to at the end, as are whole numbers, half to even as
    ONNX' QuantizeLinear does it (`whole_number_fault` says whether they have room for it).
    Shape: [n, channels, height, width] for nchw, [n, height, width, channels] for nhwc, contiguous. For gray
    the first number of `mean` and `std` counts.
    """
    is_nchw = config.layout == "nchw"
    height, width, channels = pixels[0].shape
    shape = (channels, height, width) if is_nchw else (height, width, channels)
    takes_bytes = dtype is np.uint8 and _is_plain(config)
    exact = np.float64 if dtype is np.float64 else np.float32
    # Bytes are only moved; all else is computed in place, in passes over a batch that fits into the caches.
    batch = np.empty((len(pixels), *shape), np.uint8 if takes_bytes else exact)
    for row, each in zip(batch, pixels, strict=True):
        row[...] = each.transpose(2, 0, 1) if is_nchw else each
    if takes_bytes:
        return batch
    along = (channels, 1, 1) if is_nchw else (channels,)
    mean, std = (np.asarray(each[:channels], exact).reshape(along) for each in (config.mean, config.std))
    if config.scale != 1:
        # Training code divides by 255, which differs in the last bit, and a dynamically quantised network sees it.
        divisor = round(1 / config.scale) if config.scale < 1 else 0
        if divisor and 1 / divisor == config.scale:
            batch /= exact(divisor)
        else:
            batch *= exact(config.scale)
    if mean.any():
        batch -= mean
    if (std != 1).any():
        batch /= std
    if np.issubdtype(dtype, np.integer):
        np.rint(batch, out=batch)
    return batch.astype(dtype, copy=False)


def _is_plain(config: InputConfig) -> bool:
    """Whether pixels go into the network as they are."""
    return config.scale == 1 and not any(config.mean) and set(config.std) == {1.0}


def whole_number_fault(config: InputConfig, dtype: type[Any]) -> str | None:
    """Why a network that takes whole numbers cannot be fed as described; none where it can or takes fractions."""
    if not np.issubdtype(dtype, np.integer):
        return None
    count = channel_count(config)
    ends = [
        (level * config.scale - mean) / std
        for mean, std in zip(config.mean[:count], config.std[:count], strict=True)
        for level in (0, 255)
    ]
    info, name = np.iinfo(dtype), np.dtype(dtype).name
    remedy = f"write scale: 1, std 1 and mean {128 if dtype is np.int8 else 0}"
    if round(min(ends)) < info.min or round(max(ends)) > info.max:
        return f"pixels become numbers from {min(ends):g} to {max(ends):g}, which {name} does not hold: {remedy}"
    if max(ends) - min(ends) < _FEWEST_LEVELS - 1:
        return f"pixels become {name} from {min(ends):g} to {max(ends):g}, which loses the image: {remedy}"
    return None
