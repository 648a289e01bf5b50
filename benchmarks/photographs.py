"""Photographs to measure with, made from the one that scikit-image ships and those of `make tools`, where they are."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image, ImageOps

SIZES = {"178x218": (178, 218), "1024²": (1024, 1024), "12 MP": (4000, 3000)}
_PEOPLE = Path(__file__).parents[1] / ".tools" / "photographs"
_NAMES = ("obama.jpg", "biden.jpg", "obama2.jpg", "obama3.jpg")
_QUALITY = 90
# Where the face of the shipped photograph is; those of the others are found when first asked for.
_ASTRONAUT_FACE = (179, 83, 266, 170)


def crops(folder: Path, size: tuple[int, int], count: int, *, quality: int = _QUALITY) -> list[Path]:
    """Photographs of a face that fills much of the picture, as a face-attribute model sees them."""
    astronaut, random = Image.fromarray(skimage.data.astronaut()), np.random.default_rng(0)
    folder.mkdir(parents=True)
    for index in range(count):
        left, top = random.integers(0, 60, 2)
        crop = astronaut.crop((left, top, left + 450, top + 450)).resize(size, Image.Resampling.BICUBIC)
        # The comment makes the bytes distinct where two crops are the same, so that no cache knows them.
        crop.save(folder / f"{index:05}.jpg", quality=quality, comment=f"{index}")
    return sorted(folder.iterdir())


def scenes(folder: Path, size: tuple[int, int], count: int, *, largest: float = 0.5) -> list[Path]:
    """Photographs with one face, anywhere and a little tilted.

    It takes from a seventh of the shorter side to the share `largest`; in small pictures, from 80 pixels.
    """
    random = np.random.default_rng(1)
    folder.mkdir(parents=True)
    for index in range(count):
        _scene(size, random, largest).save(folder / f"{index:05}.jpg", quality=_QUALITY)
    return sorted(folder.iterdir())


def _scene(size: tuple[int, int], random: np.random.Generator, largest: float) -> Image.Image:
    photograph, box = _people()[random.integers(len(_people()))]
    side = random.uniform(max(80, min(size) / 7), largest * min(size))
    scale = side / (box[2] - box[0])
    person = photograph.resize(
        (round(photograph.width * scale), round(photograph.height * scale)), Image.Resampling.LANCZOS
    )
    canvas = Image.new("RGB", size, tuple(int(level) for level in random.integers(40, 200, 3)))
    x, y = (random.uniform(0.3, 0.7) * length for length in size)
    canvas.paste(person, (round(x - scale * (box[0] + box[2]) / 2), round(y - scale * (box[1] + box[3]) / 2)))
    tilted = canvas.rotate(random.uniform(-8, 8), Image.Resampling.BICUBIC)
    return ImageOps.mirror(tilted) if random.random() < 0.5 else tilted


@cache
def _people() -> tuple[tuple[Image.Image, tuple[int, int, int, int]], ...]:
    return ((Image.fromarray(skimage.data.astronaut()), _ASTRONAUT_FACE), *_others())


def _others() -> Iterator[tuple[Image.Image, tuple[int, int, int, int]]]:
    import dlib

    detector = dlib.get_frontal_face_detector()
    for path in (_PEOPLE / name for name in _NAMES):
        if path.exists():
            photograph = Image.open(path).convert("RGB")
            face = max(detector(np.asarray(photograph), 0), key=lambda found: found.area())
            yield photograph, (face.left(), face.top(), face.right(), face.bottom())
