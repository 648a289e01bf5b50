"""Simulates a day of a camera: crops of one real photograph, with its exposure, noise and blur.

The photograph is scikit-image's astronaut (NASA, public domain). What the camera saw is therefore real,
the days are not.
"""

import os
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

FACE_CENTRE = (222, 126)
SIDE = 200


def photograph() -> Path:
    """Where the installed scikit-image keeps the photograph."""
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        raise SystemExit("scikit-image is not installed: pip install 'facemon[demo]'")
    return Path(spec.origin).parent / "data" / "astronaut.png"


def simulate_day(folder: Path, day: datetime, *, images: int, exposure: float, seed: int) -> None:
    """Write a day's images; each file's modification time is when the camera took it."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    with Image.open(photograph()) as file:
        scene = file.convert("RGB")
    for index in range(images):
        image = _shot(scene, random, exposure)
        path = folder / f"{index:04}.jpg"
        image.save(path, quality=int(random.integers(80, 95)))
        taken = (day + timedelta(days=index / images)).timestamp()
        os.utime(path, (taken, taken))


def _shot(scene: Image.Image, random: np.random.Generator, exposure: float) -> Image.Image:
    """One picture: the camera shakes, zooms and tilts a little; light, noise and focus vary."""
    half = random.uniform(75, 105)
    x, y = (centre + random.uniform(-12, 12) for centre in FACE_CENTRE)
    tilted = scene.rotate(random.uniform(-8, 8), Image.Resampling.BILINEAR, center=(x, y))
    box = (x - half, y - half, x + half, y + half)
    image = tilted.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=_inside(box, scene.size))
    image = ImageEnhance.Brightness(image).enhance(exposure * random.normal(1, 0.08))
    image = image.filter(ImageFilter.GaussianBlur(random.uniform(0, 1)))
    noisy = np.asarray(image, dtype=np.float32) + random.normal(0, 4, (SIDE, SIDE, 1))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def _inside(box: tuple[float, float, float, float], size: tuple[int, int]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return max(left, 0), max(top, 0), min(right, size[0]), min(bottom, size[1])
