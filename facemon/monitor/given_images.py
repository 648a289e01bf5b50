"""Images that a program holds, as inputs of a prediction."""

import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from facemon.config.web_address import logged_name
from facemon.domain.image_input import ImageInput, url_problem
from facemon.errors import FacemonError


def given_images(images: Iterable[Any], source: str | None, observed_at: datetime | None) -> Iterator[ImageInput]:
    """Each image with its name; a pair of a name and an image has that name."""
    if isinstance(images, str | bytes | os.PathLike):
        raise FacemonError("predict takes several images", "put a single one into a list")
    for ordinal, image in enumerate(images):
        is_named = isinstance(image, tuple) and len(image) == 2 and isinstance(image[0], str)
        name, given = image if is_named else (None, image)
        if isinstance(given, str | os.PathLike):
            path = Path(given)
            yield ImageInput(
                ordinal, logged_name(name or str(given)), path,
                observed_at=observed_at, source=source, problem=url_problem(str(given)),
            )  # fmt: skip
        else:
            content = _content(given, ordinal)
            name = logged_name(name or f"image-{ordinal}")
            yield ImageInput(ordinal, name, content=content, observed_at=observed_at, source=source)


def _content(image: Any, ordinal: int) -> bytes:
    """The bytes of a file; an image in memory becomes a PNG, which loses nothing."""
    from PIL import Image

    if isinstance(image, bytes | bytearray | memoryview):
        return bytes(image)
    if not isinstance(image, Image.Image):
        try:
            image = Image.fromarray(image)
        except (TypeError, ValueError, AttributeError) as error:
            kinds = "a path, bytes, a PIL image or an array [height, width, 3] of bytes"
            raise FacemonError(f"image {ordinal} is a {type(image).__name__}, not {kinds}") from error
    stream = BytesIO()
    image.save(stream, "PNG", compress_level=1)
    return stream.getvalue()
