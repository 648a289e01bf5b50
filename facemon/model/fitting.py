"""An image of any size to the size of a network's input: stretched, cropped or padded."""

import numpy as np
from PIL import Image, ImageOps

from facemon.config.network_input import InputConfig, PadConfig
from facemon.model.opencv_bilinear import resize_as_opencv

_PILLOW_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
_BLACK_ON_BOTH_SIDES = PadConfig()


def fit_image(image: Image.Image, config: InputConfig) -> Image.Image:
    """Fit an RGB image to `config.size`.

    `stretch` changes the proportions, `crop` takes the middle of the resized image, `pad` adds a border to it.
    """
    if image.size == config.size:
        return image
    match config.fit:
        case "stretch":
            return _resized(image, config.size, config)
        case "crop" if config.resample in _PILLOW_FILTERS:
            return ImageOps.fit(image, config.size, _PILLOW_FILTERS[config.resample])
        case "crop":
            resized = _resized(image, _whole_size(image.size, config), config)
            left, top = (resized.width - config.size[0]) // 2, (resized.height - config.size[1]) // 2
            return resized.crop((left, top, left + config.size[0], top + config.size[1]))
        case "pad":
            resized = _resized(image, _whole_size(image.size, config), config)
            return _padded(resized, config.size, config.pad or _BLACK_ON_BOTH_SIDES)


def resized_size(size: tuple[int, int], config: InputConfig) -> tuple[float, float]:
    """How large an image of `size` is after it was resized, before anything is cut off or added; in pixels."""
    across, down = config.size[0] / size[0], config.size[1] / size[1]
    match config.fit:
        case "stretch":
            return config.size
        case "crop":
            across = down = max(across, down)
        case "pad":
            across = down = min(across, down)
    return size[0] * across, size[1] * down


def _whole_size(size: tuple[int, int], config: InputConfig) -> tuple[int, int]:
    width, height = resized_size(size, config)
    return max(1, round(width)), max(1, round(height))


def _resized(image: Image.Image, size: tuple[int, int], config: InputConfig) -> Image.Image:
    if config.resample == "opencv_bilinear":
        return Image.fromarray(resize_as_opencv(np.asarray(image), size))
    return image.resize(size, _PILLOW_FILTERS[config.resample])


def _padded(image: Image.Image, size: tuple[int, int], pad: PadConfig) -> Image.Image:
    if image.size == size:
        return image
    red, green, blue = pad.colour
    canvas = Image.new("RGB", size, (red, green, blue))
    # An odd pixel goes right and down, as in the letterboxes that OpenCV's users write: left is the smaller half.
    # Pillow's own ImageOps.pad rounds half a pixel to the even side.
    left, top = ((size[0] - image.width) // 2, (size[1] - image.height) // 2) if pad.side == "centre" else (0, 0)
    canvas.paste(image, (left, top))
    return canvas
