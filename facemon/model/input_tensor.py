"""Images of faces to the batch that a network wants: fitted, in its channel order, normalised."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from facemon.config.model import InputConfig
from facemon.model.opencv_bilinear import resize_as_opencv

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


def input_batch(
    pixels: Sequence[NDArray[np.uint8]], config: InputConfig, dtype: type[np.generic] = np.float32
) -> NDArray[Any]:
    """Stack what `input_pixels` made to `(pixel * scale - mean) / std`, computed in float32 in that order.

    For uint8 the pixels stay as they are; float16 is rounded to at the end.
    Shape: [n, channels, height, width] for nchw, [n, height, width, channels] for nhwc, contiguous. For gray
    the first number of `mean` and `std` counts.
    """
    stacked = np.stack(pixels)
    is_nchw = config.layout == "nchw"
    if dtype is np.uint8:
        return np.ascontiguousarray(stacked.transpose(0, 3, 1, 2)) if is_nchw else stacked
    table = _normalised(config).astype(dtype)
    count, height, width, channels = stacked.shape
    batch = np.empty((count, channels, height, width) if is_nchw else stacked.shape, dtype)
    for channel in range(channels):
        # A pixel has 256 values, so looking its result up costs one pass over the batch in the place of five.
        batch[(slice(None), channel) if is_nchw else (..., channel)] = table[channel].take(stacked[..., channel])
    return batch


@lru_cache(maxsize=16)
def _normalised(config: InputConfig) -> NDArray[np.float32]:
    """What each of the 256 values of a pixel becomes, for each channel: [channels, 256]."""
    channels = channel_count(config)
    values = np.arange(256, dtype=np.float32)[np.newaxis]
    if config.scale != 1:
        values = values * np.float32(config.scale)
    mean, std = (np.asarray(each[:channels], np.float32)[:, np.newaxis] for each in (config.mean, config.std))
    return (values - mean) / std


def resized_size(size: tuple[int, int], config: InputConfig) -> tuple[float, float]:
    """How large an image of `size` is after it was fitted, before anything is cut off or added; in pixels."""
    across, down = config.size[0] / size[0], config.size[1] / size[1]
    match config.fit:
        case "stretch":
            return config.size
        case "crop":
            across = down = max(across, down)
        case "pad":
            across = down = min(across, down)
    return size[0] * across, size[1] * down


def _fit(image: Image.Image, config: InputConfig) -> Image.Image:
    if image.size == config.size:
        return image
    if config.resample == "opencv_bilinear":
        return _fit_as_opencv(image, config)
    method = _RESAMPLING[config.resample]
    match config.fit:
        case "stretch":
            return image.resize(config.size, method)
        case "crop":
            return ImageOps.fit(image, config.size, method)
        case "pad":
            return ImageOps.pad(image, config.size, method)


def _fit_as_opencv(image: Image.Image, config: InputConfig) -> Image.Image:
    width, height = (max(1, round(length)) for length in resized_size(image.size, config))
    resized = Image.fromarray(resize_as_opencv(np.asarray(image), (width, height)))
    left, top = (width - config.size[0]) // 2, (height - config.size[1]) // 2
    # Cuts what is too much, and fills with black what is too little.
    box = (left, top, left + config.size[0], top + config.size[1])
    return resized if resized.size == config.size else resized.crop(box)
