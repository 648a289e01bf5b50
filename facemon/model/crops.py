"""A face cut out of its image, by its box and a description of the crop."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facemon.config.faces import CropConfig
from facemon.domain.image_input import Box
from facemon.model.decoding import DecodedImage

_Edges = tuple[float, float, float, float]


def crop_size(decoded: DecodedImage, box: Box, crop: CropConfig) -> tuple[int, int]:
    """Return the width and height of what `cut_box` cuts: a box may reach far beyond its image."""
    left, top, right, bottom = _crop_edges(decoded, box, crop)
    return max(right - left, 1), max(bottom - top, 1)


def cut_box(decoded: DecodedImage, box: Box, crop: CropConfig) -> Image.Image:
    """Cut the crop around a box in pixels of the whole image; a single black pixel where nothing is left."""
    image = decoded.image
    left, top, right, bottom = _crop_edges(decoded, box, crop)
    if right <= left or bottom <= top:
        return Image.new("RGB", (1, 1))
    if crop.outside not in ("edge", "reflect"):
        return image.crop((left, top, right, bottom))  # outside the image Pillow gives black
    inside = _reflected if crop.outside == "reflect" else _held
    columns, rows = inside(np.arange(left, right), image.width), inside(np.arange(top, bottom), image.height)
    return Image.fromarray(np.asarray(image)[rows[:, np.newaxis], columns])


def _crop_edges(decoded: DecodedImage, box: Box, crop: CropConfig) -> Box:
    """The crop's first column and row in the decoded image, and those after its last."""
    scale = decoded.image.width / decoded.size[0]
    own = (box[0] * scale, box[1] * scale, (box[2] + 1) * scale, (box[3] + 1) * scale)
    return _whole_pixels(_edges(own, crop, decoded.image.size), crop)


def _edges(box: _Edges, crop: CropConfig, size: tuple[int, int]) -> _Edges:
    """The crop's left, upper, right and lower edge in an image of `size`, before they become whole pixels."""
    last = 1 if crop.edges == "inclusive" else 0
    limits = (size[0] - last, size[1] - last)
    by_scale = crop.scale is not None and crop.edges != "margins"
    if crop.edges == "margins":
        edges = _with_whole_margins(box, crop)
    else:
        edges = _scaled(box, crop, size) if by_scale else _widened(box, crop)
    match crop.outside:
        case "black" | "edge" | "reflect":
            return edges
        case "clamp":
            left, top, right, bottom = edges
            return max(left, 0), max(top, 0), min(right, limits[0]), min(bottom, limits[1])
        case "shift":
            if not by_scale:
                edges = _shrunk(edges, size)
            (left, right), (top, bottom) = (_shifted(edges[axis], edges[axis + 2], limits[axis]) for axis in (0, 1))
            return left, top, right, bottom


def _widened(box: _Edges, crop: CropConfig) -> _Edges:
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    before, above, after, below = crop.margins
    if crop.shape == "rectangle":
        return left - before * width, top - above * height, right + after * width, bottom + below * height
    x = (left + right) / 2 + (after - before) * width / 2
    y = (top + bottom) / 2 + (below - above) * height / 2
    half = max(width * (0.5 + (before + after) / 2), height * (0.5 + (above + below) / 2))
    return x - half, y - half, x + half, y + half


def _with_whole_margins(box: _Edges, crop: CropConfig) -> _Edges:
    """The box with whole pixels added on each side, those that make it a square among them."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    more = 0.0 if crop.scale is None else (crop.scale - 1) / 2
    before, above, after, below = (margin + more for margin in crop.margins)
    across = down = 0.0
    if crop.shape == "square":
        wide, high = width * (1 + before + after), height * (1 + above + below)
        across, down = (max(wide, high) - wide) / 2, (max(wide, high) - high) / 2
    return (left - int(before * width + across), top - int(above * height + down),
            right + int(after * width + across), bottom + int(below * height + down))  # fmt: skip


def _scaled(box: _Edges, crop: CropConfig, size: tuple[int, int]) -> _Edges:
    """The box by `scale`, in the order of operations of the public crops, so that the same pixels are cut."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    x, y = width / 2 + left, height / 2 + top
    if crop.shape == "square":
        width = height = max(width, height)
    factor = crop.scale or 1.0
    if crop.outside == "shift":
        factor = min((size[1] - 1) / height, (size[0] - 1) / width, factor)
    width, height = width * factor, height * factor
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _shrunk(edges: _Edges, size: tuple[int, int]) -> _Edges:
    """The same around its centre, small enough for an image of `size`."""
    left, top, right, bottom = edges
    width, height = right - left, bottom - top
    factor = min((size[0] - 1) / width, (size[1] - 1) / height)
    if factor >= 1:
        return edges
    x, y = (left + right) / 2, (top + bottom) / 2
    width, height = width * factor, height * factor
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _shifted(low: float, high: float, limit: int) -> tuple[float, float]:
    """An interval moved to lie between 0 and `limit`."""
    if low < 0:
        low, high = 0.0, high - low
    if high > limit:
        low, high = low - (high - limit), float(limit)
    return max(low, 0.0), high


def _whole_pixels(edges: _Edges, crop: CropConfig) -> Box:
    """The first column and row of the crop, and those after its last."""
    if crop.edges in ("round", "margins"):  # around whole margins only the box of a smaller copy has fractions
        left, top, right, bottom = (round(edge) for edge in edges)
        return left, top, right, bottom
    left, top, right, bottom = (int(edge) for edge in edges)
    if crop.edges == "sized":
        return left, top, left + int(edges[2] - edges[0]), top + int(edges[3] - edges[1])
    more = 1 if crop.edges == "inclusive" else 0
    return left, top, right + more, bottom + more


def _held(places: NDArray[np.intp], length: int) -> NDArray[np.intp]:
    return np.clip(places, 0, length - 1)


def _reflected(places: NDArray[np.intp], length: int) -> NDArray[np.intp]:
    """Places on an axis that is mirrored at its first and last pixel, again and again, which are not repeated."""
    period = max(2 * (length - 1), 1)
    folded = places % period
    return np.minimum(folded, period - folded) if length > 1 else np.zeros_like(places)
