"""An image of any size to the size of a network's input: stretched, cropped or padded."""

import math

import numpy as np
from PIL import Image, ImageOps

from facemon.config.network_input import InputConfig, PadConfig
from facemon.model.opencv_area import resize_area
from facemon.model.opencv_bilinear import resize_bilinear
from facemon.model.opencv_cubic import resize_cubic
from facemon.model.opencv_lanczos4 import resize_lanczos4

_OPENCV_FILTERS = {
    "opencv_bilinear": resize_bilinear, "opencv_cubic": resize_cubic, "opencv_area": resize_area,
    "opencv_lanczos4": resize_lanczos4,
}  # fmt: skip
_PILLOW_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
_BLACK_ON_BOTH_SIDES = PadConfig()
_LONGEST_STRIP = 32
"""How many times as long as the input a resized image may be before its middle is cut out."""


def fit_image(image: Image.Image, config: InputConfig) -> Image.Image:
    """Fit an RGB image to `config.size`.

    `stretch` changes the proportions, `crop` takes the middle of the resized image, `pad` adds a border to it.
    """
    if image.size == config.size and config.shorter_side is None:
        return image
    match config.fit:
        case "stretch":
            return _resized(image, config.size, config)
        case "crop":
            return _cropped(image, config)
        case "pad":
            return _padded(image, config)


def resized_size(size: tuple[int, int], config: InputConfig) -> tuple[float, float]:
    """How large an image of `size` is after it was resized, before anything is cut off or added; in pixels."""
    if config.shorter_side is not None:
        return _size_by_shorter_side(size, config.shorter_side)
    across, down = config.size[0] / size[0], config.size[1] / size[1]
    match config.fit:
        case "stretch":
            return config.size
        case "crop":
            across = down = max(across, down)
        case "pad":
            across = down = min(across, down)
    return size[0] * across, size[1] * down


def _size_by_shorter_side(size: tuple[int, int], shorter: int) -> tuple[int, int]:
    """The size of torchvision's Resize: the longer side is rounded down."""
    width, height = size
    return (shorter, shorter * height // width) if width <= height else (shorter * width // height, shorter)


def _whole_size(size: tuple[int, int], config: InputConfig) -> tuple[int, int]:
    width, height = resized_size(size, config)
    if config.fit == "pad" and (config.pad or _BLACK_ON_BOTH_SIDES).rounding == "down":
        return max(1, int(width)), max(1, int(height))
    return max(1, round(width)), max(1, round(height))


def _resized(image: Image.Image, size: tuple[int, int], config: InputConfig) -> Image.Image:
    grows = max(size) > max(image.size)
    resample = (config.enlarge if grows else None) or config.resample
    if resize := _OPENCV_FILTERS.get(resample):
        return Image.fromarray(resize(np.asarray(image), size))
    return image.resize(size, _PILLOW_FILTERS[resample])


def placement(size: tuple[int, int], config: InputConfig) -> tuple[int, int, int, int]:
    """Where all of an image of `size` lies in the input, which must not crop: left, top, width and height."""
    if config.fit == "stretch":
        return 0, 0, *config.size
    width, height = _whole_size(size, config)
    # An odd pixel goes right and down, as in the letterboxes that OpenCV's users write: left is the smaller half.
    # Pillow's own ImageOps.pad rounds half a pixel to the even side.
    if (config.pad or _BLACK_ON_BOTH_SIDES).side == "end":
        return 0, 0, width, height
    return (config.size[0] - width) // 2, (config.size[1] - height) // 2, width, height


def _cropped(image: Image.Image, config: InputConfig) -> Image.Image:
    if config.shorter_side is None and config.enlarge is None and config.resample in _PILLOW_FILTERS:
        return ImageOps.fit(image, config.size, _PILLOW_FILTERS[config.resample])
    whole = _whole_size(image.size, config)
    if config.shorter_side is not None:
        # torchvision's CenterCrop rounds half a pixel to the even side.
        left, top = round((whole[0] - config.size[0]) / 2), round((whole[1] - config.size[1]) / 2)
    else:
        left, top = (whole[0] - config.size[0]) // 2, (whole[1] - config.size[1]) // 2
    (x, far_left), (y, far_top) = (_far_end(*sides) for sides in zip(image.size, whole, config.size, strict=True))
    if x or y:
        image = image.crop((x, y, image.width - x, image.height - y))
    resized = _resized(image, (whole[0] - 2 * far_left, whole[1] - 2 * far_top), config)
    left, top = left - far_left, top - far_top
    return resized.crop((left, top, left + config.size[0], top + config.size[1]))


def _far_end(length: int, resized: int, kept: int) -> tuple[int, int]:
    """Pixels at either end of a side that need not be resized, because the middle is cut out: before and after it.

    Resized whole, a strip of one pixel's height would need gigabytes. As many go at both ends: the middle would
    move by half a pixel of the image otherwise, which is many pixels once it is enlarged.
    """
    end = max(0, length - math.ceil(length * _LONGEST_STRIP * kept / resized)) // 2
    return end, round(end * resized / length)


def _padded(image: Image.Image, config: InputConfig) -> Image.Image:
    left, top, width, height = placement(image.size, config)
    resized = _resized(image, (width, height), config)
    if resized.size == config.size:
        return resized
    red, green, blue = (config.pad or _BLACK_ON_BOTH_SIDES).colour
    canvas = Image.new("RGB", config.size, (red, green, blue))
    canvas.paste(resized, (left, top))
    return canvas
