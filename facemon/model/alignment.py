"""A face turned, scaled and moved so that its five landmarks lie where a network was trained to have them."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facemon.config.faces import AlignConfig
from facemon.model.decoding import DecodedImage

Points = tuple[tuple[float, float], ...]
"""Five landmarks as x and y in pixels of the whole image: both eyes, the nose and both corners of the mouth; of each
pair the one that is further left in an upright face comes first. Whole numbers are centres of pixels."""


def can_align(points: Points | None) -> bool:
    """Whether landmarks tell a position: there are some, and they do not coincide."""
    return points is not None and bool(np.ptp(np.asarray(points), axis=0).max() >= 1)


def aligned_face(decoded: DecodedImage, points: Points, align: AlignConfig, size: tuple[int, int]) -> Image.Image:
    """The face at `size`, which has the template's proportions; black where it reaches outside the image."""
    scale = decoded.image.width / decoded.size[0]
    found = (np.asarray(points) + 0.5) * scale - 0.5
    wanted = np.asarray(align.template_points) * (size[0] / align.template_size[0])
    return Image.fromarray(warped(np.asarray(decoded.image), similarity(found, wanted), size))


def similarity(found: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """The [2, 3] matrix of the rotation, scale and shift that takes points [n, 2] nearest to the `wanted` ones.

    Least squares, without reflection: Umeyama, "Least-squares estimation of transformation parameters between two
    point patterns", IEEE Transactions on Pattern Analysis and Machine Intelligence 13 (1991), equations 39 to 43.
    """
    of_found, of_wanted = found.mean(axis=0), wanted.mean(axis=0)
    spread, aim = found - of_found, wanted - of_wanted
    left, lengths, right = np.linalg.svd(aim.T @ spread / len(found))
    signs = np.array([1.0, 1.0 if np.linalg.det(left) * np.linalg.det(right) > 0 else -1.0])
    rotation = left @ np.diag(signs) @ right
    linear = rotation * (lengths @ signs) / spread.var(axis=0).sum()
    return np.column_stack([linear, of_wanted - linear @ of_found])


def warped(pixels: NDArray[np.uint8], matrix: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The image [height, width, 3] after an affine map [2, 3], at `size` (width, height); black from outside.

    Bilinear between pixel centres at whole numbers, in float32, as OpenCV 5 computes `warpAffine`. OpenCV 4 first
    rounds positions to 1/32 pixel, which moves single pixels by a few levels.
    """
    linear = np.linalg.inv(matrix[:, :2])
    back = np.column_stack([linear, -linear @ matrix[:, 2]]).astype(np.float32)
    x, y = np.arange(size[0], dtype=np.float64), np.arange(size[1], dtype=np.float32)[:, np.newaxis]
    # OpenCV multiplies and adds the last time with a single rounding, as float64 does here.
    across, down = ((row[0] * x + (row[1] * y + row[2])).astype(np.float32) for row in back)
    left, top = np.floor(across), np.floor(down)
    to_right, to_below = (across - left)[..., np.newaxis], (down - top)[..., np.newaxis]
    corners = [_pixels_at(pixels, left + beside, top + below) for below in (0, 1) for beside in (0, 1)]
    above = corners[0] + to_right * (corners[1] - corners[0])
    under = corners[2] + to_right * (corners[3] - corners[2])
    return np.rint(above + to_below * (under - above)).astype(np.uint8)


def _pixels_at(
    pixels: NDArray[np.uint8], columns: NDArray[np.float32], rows: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The pixels at whole positions, black outside the image."""
    height, width = pixels.shape[:2]
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    column = np.clip(columns, 0, width - 1).astype(np.intp)
    row = np.clip(rows, 0, height - 1).astype(np.intp)
    return pixels[row, column].astype(np.float32) * inside[..., np.newaxis]
