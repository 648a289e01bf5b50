"""Pictures that networks are shown, as PNG files in one folder."""

import re
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from facemon.domain.image_input import ImageInput
from facemon.errors import FacemonError
from facemon.files import drafted

_LONGEST_STEM = 60


@dataclass(frozen=True, slots=True)
class CropFiles:
    """Writes into a folder; a name that an image has cannot lead out of it."""

    folder: Path

    def prepare(self) -> None:
        """Make the folder; FacemonError where that is impossible."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritten(error) from error

    def keep(self, given: ImageInput, face: int, network: int, what: str, image: Image.Image) -> str:
        """Write a picture and return its file's name, in place of one of the same name; FacemonError."""
        name = f"{given.ordinal:05}-{_stem(given.name)}-face{face}-network{network}-{what}.png"
        try:
            with drafted(self.folder / name) as draft:
                image.save(draft.stream, format="PNG")
                draft.put(is_lasting=False)
        except OSError as error:
            raise self._unwritten(error) from error
        return name

    def _unwritten(self, error: OSError) -> FacemonError:
        reason = (error.strerror or str(error)).lower()
        return FacemonError(
            f"--crops {self.folder}: cannot be written: {reason}", "name a folder that you may write to"
        )


def _stem(name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", Path(name.replace("\0", "_")).stem).strip("_")
    return plain[:_LONGEST_STEM] or "image"
