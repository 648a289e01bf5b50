"""Pictures for acceptance tests: crops of a real photograph, and files of every kind that is wrong."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from camera_day import simulate_day
from PIL import Image

DAY_ONE, DAY_TWO, DAY_THREE = (datetime(2026, 11, day, tzinfo=UTC) for day in (20, 21, 22))
IMAGES = 240
"""Of a day of `three_days`: enough to find a dark day."""
QUIET = ("--data-threshold", "0.2")
"""What clears a quiet day of so few images. By chance the greatest gap of some number column reaches 0.1, the default,
on one day of five."""


def window(day: datetime) -> tuple[str, ...]:
    """The options that choose a day."""
    return ("--since", day.isoformat(), "--until", (day + timedelta(days=1)).isoformat())


def take_pictures(folder: Path, *, images: int, day: datetime = DAY_ONE, exposure: float = 1.0, seed: int = 1) -> Path:
    """A folder with a simulated day of a camera."""
    simulate_day(folder, day, images=images, exposure=exposure, seed=seed)
    return folder


def broken_pictures(folder: Path, good: Path) -> dict[str, str]:
    """One file of each kind that cannot be predicted, mapped to the error code that it must get."""
    whole = good.read_bytes()
    (folder / "empty.jpg").touch()
    (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 3])
    (folder / "text.jpg").write_text("this is no picture\n")
    (folder / "link.jpg").symlink_to("nowhere.jpg")
    Image.new("1", (20_000, 20_000)).save(folder / "bomb.png")
    Image.new("RGB", (300, 300), (90, 120, 200)).save(folder / "sky.png")
    return {
        "empty.jpg": "unreadable", "truncated.jpg": "unreadable", "text.jpg": "unreadable", "link.jpg": "unreadable",
        "bomb.png": "too_large", "sky.png": "no_face",
    }  # fmt: skip


def odd_pictures(folder: Path, photograph: Path) -> list[str]:
    """Pictures that are unusual but good, each with the photograph's one face."""
    with Image.open(photograph) as file:
        face = file.convert("RGB").crop((122, 26, 322, 226))
    face.convert("CMYK").save(folder / "cmyk.jpg")
    gray = np.asarray(face.convert("L"), dtype=np.uint16) * 257
    Image.fromarray(gray).save(folder / "gray16.png")
    face.save(folder / "face.webp", quality=95)
    face.convert("RGBA").save(folder / "alpha.png")
    face.convert("P", palette=Image.Palette.ADAPTIVE).save(folder / "palette.png")
    turned, exif = face.transpose(Image.Transpose.ROTATE_90), Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the viewer must turn it back by 270 degrees
    turned.save(folder / "turned.jpg", exif=exif, quality=95)
    raw = os.fsencode(folder) + b"/caf\xe9.png"
    face.save(folder / "plain.png")
    os.rename(os.fsencode(folder / "plain.png"), raw)  # noqa: PTH104 - a name that is no text
    return ["alpha.png", "caf\\xe9.png", "cmyk.jpg", "face.webp", "gray16.png", "palette.png", "turned.jpg"]
