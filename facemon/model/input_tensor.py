"""Images of faces to the batch that a network wants: fitted, in its channel order, normalised."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facemon.config.model import InputConfig
from facemon.model.fitting import fit_image


def channel_count(config: InputConfig) -> int:
    """How many channels the network sees."""
    return 1 if config.channels == "gray" else 3


def input_pixels(image: Image.Image, config: InputConfig) -> NDArray[np.uint8]:
    """Fit an RGB image of any size to the input: [height, width, channels] in the network's channel order.

    Gray is the luma of ITU-R BT.601, as Pillow rounds it, taken after resizing.
    """
    fitted = fit_image(image, config)
    match config.channels:
        case "rgb":
            return np.asarray(fitted)
        case "bgr":
            return np.asarray(fitted)[:, :, ::-1]
        case "gray":
            return np.asarray(fitted.convert("L"))[:, :, np.newaxis]


def input_batch(
    pixels: Sequence[NDArray[np.uint8]], config: InputConfig, dtype: type[np.generic] = np.float32
) -> NDArray[Any]:
    """Stack what `input_pixels` made to `(pixel * scale - mean) / std`, computed in float32 in that order.

    For uint8 the pixels stay as they are; float16 is rounded to at the end.
    Shape: [n, channels, height, width] for nchw, [n, height, width, channels] for nhwc, contiguous. For gray
    the first number of `mean` and `std` counts.
    """
    is_nchw = config.layout == "nchw"
    height, width, channels = pixels[0].shape
    shape = (channels, height, width) if is_nchw else (height, width, channels)
    # Bytes are only moved; all else is computed in place, in passes over a batch that fits into the caches.
    batch = np.empty((len(pixels), *shape), np.uint8 if dtype is np.uint8 else np.float32)
    for row, each in zip(batch, pixels, strict=True):
        row[...] = each.transpose(2, 0, 1) if is_nchw else each
    if dtype is np.uint8:
        return batch
    along = (channels, 1, 1) if is_nchw else (channels,)
    mean, std = (np.asarray(each[:channels], np.float32).reshape(along) for each in (config.mean, config.std))
    if config.scale != 1:
        batch *= np.float32(config.scale)
    if mean.any():
        batch -= mean
    if (std != 1).any():
        batch /= std
    return batch.astype(dtype, copy=False)
