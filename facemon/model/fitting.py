"""An image of any size to the size of a network's input: stretched, cropped or padded."""

import numpy as np
from PIL import Image, ImageOps

from facemon.config.network_input import InputConfig, PadConfig
from facemon.model.opencv_area import resize_area
from facemon.model.opencv_bilinear import resize_bilinear
from facemon.model.opencv_cubic import resize_cubic

_OPENCV_FILTERS = {"opencv_bilinear": resize_bilinear, "opencv_cubic": resize_cubic, "opencv_area": resize_area}
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
    if resize := _OPENCV_FILTERS.get(config.resample):
        return Image.fromarray(resize(np.asarray(image), size))
    return image.resize(size, _PILLOW_FILTERS[config.resample])


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
    if config.shorter_side is None and config.resample in _PILLOW_FILTERS:
        return ImageOps.fit(image, config.size, _PILLOW_FILTERS[config.resample])
    image = _without_far_ends(image, config)
    width, height = size = _whole_size(image.size, config)
    resized = _resized(image, size, config)
    if config.shorter_side is not None:
        # torchvision's CenterCrop rounds half a pixel to the even side.
        left, top = round((width - config.size[0]) / 2), round((height - config.size[1]) / 2)
    else:
        left, top = (width - config.size[0]) // 2, (height - config.size[1]) // 2
    return resized.crop((left, top, left + config.size[0], top + config.size[1]))


def _without_far_ends(image: Image.Image, config: InputConfig) -> Image.Image:
    """The middle of an image that is many times as long as what is cut out of it, or the image as it is.

    Resized whole, a strip of one pixel's height would need gigabytes.
    """
    width, height = resized_size(image.size, config)
    longest = (round(image.width * min(1, _LONGEST_STRIP * config.size[0] / width)),
               round(image.height * min(1, _LONGEST_STRIP * config.size[1] / height)))  # fmt: skip
    if longest == image.size:
        return image
    left, top = (image.width - longest[0]) // 2, (image.height - longest[1]) // 2
    return image.crop((left, top, left + max(1, longest[0]), top + max(1, longest[1])))


def _padded(image: Image.Image, config: InputConfig) -> Image.Image:
    left, top, width, height = placement(image.size, config)
    resized = _resized(image, (width, height), config)
    if resized.size == config.size:
        return resized
    red, green, blue = (config.pad or _BLACK_ON_BOTH_SIDES).colour
    canvas = Image.new("RGB", config.size, (red, green, blue))
    canvas.paste(resized, (left, top))
    return canvas
