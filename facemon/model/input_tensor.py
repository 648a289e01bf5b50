"""Images of faces to the batch that a network wants: fitted, in its channel order, normalised."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from facemon.config.model import InputConfig

_RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def channel_count(config: InputConfig) -> int:
    """How many channels the network sees."""
    return 1 if config.channels == "gray" else 3


def input_pixels(image: Image.Image, config: InputConfig) -> NDArray[np.uint8]:
    """Fit an RGB image of any size to the input: [height, width, channels] in the network's channel order.

    `stretch` changes the proportions, `crop` is the middle of the resized image, `pad` centres it on black. Gray is
    the luma of ITU-R BT.601, as Pillow rounds it, taken after resizing.
    """
    fitted = _fit(image, config)
    match config.channels:
        case "rgb":
            return np.asarray(fitted)
        case "bgr":
            return np.asarray(fitted)[:, :, ::-1]
        case "gray":
            return np.asarray(fitted.convert("L"))[:, :, np.newaxis]


def input_batch(pixels: Sequence[NDArray[np.uint8]], config: InputConfig) -> NDArray[np.float32]:
    """Stack what `input_pixels` made to `(pixel * scale - mean) / std`, computed in float32 in that order.

    Shape: [n, channels, height, width] for nchw, [n, height, width, channels] for nhwc, contiguous. For gray
    the first number of `mean` and `std` counts.
    """
    channels = channel_count(config)
    values = np.stack(pixels).astype(np.float32)
    if config.scale != 1:
        values *= np.float32(config.scale)
    values -= np.asarray(config.mean[:channels], np.float32)
    values /= np.asarray(config.std[:channels], np.float32)
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2) if config.layout == "nchw" else values)


def _fit(image: Image.Image, config: InputConfig) -> Image.Image:
    if image.size == config.size:
        return image
    method = _RESAMPLING[config.resample]
    match config.fit:
        case "stretch":
            return image.resize(config.size, method)
        case "crop":
            return ImageOps.fit(image, config.size, method)
        case "pad":
            return ImageOps.pad(image, config.size, method)
