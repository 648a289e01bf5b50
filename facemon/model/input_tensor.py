"""Images of faces to the batch that a network wants: fitted, in its channel order, normalised."""

from collections.abc import Sequence
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
