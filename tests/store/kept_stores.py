"""Stores that older versions made, unpacked for tests, with what the code that made them says of them."""

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEPT = Path(__file__).with_name("older_stores")
NAMES = sorted(path.name.removesuffix(".tar.xz") for path in KEPT.glob("*.tar.xz"))
"""Of every version; the newest may be the present one."""
NEWEST = (
    "version-1-96642ed", "version-2-fb58313", "version-3-ffcca1c", "version-4-e99f01f", "version-5-bf134e1",
    "version-6-89e8658", "version-7-6814e6c",
)  # fmt: skip
"""Those that the last code of each version made; for tests that run commands, which take a second each."""


@dataclass(frozen=True, slots=True)
class KeptStore:
    """The working folder after some days of an older facemon: facemon.yaml, images and the store."""

    name: str
    folder: Path
    facts: dict[str, Any]

    @property
    def store(self) -> Path:
        """The store's folder."""
        return self.folder / ".facemon"

    @property
    def version(self) -> int:
        """The store's version."""
        version: int = self.facts["version"]
        return version


def unpack(name: str, folder: Path) -> KeptStore:
    """Unpack a kept store into an empty folder."""
    with tarfile.open(KEPT / f"{name}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return KeptStore(name, folder, json.loads((KEPT / f"{name}.json").read_text(encoding="utf-8")))


def names_below(version: int) -> list[str]:
    """The kept stores of versions before one."""
    return [name for name in NAMES if int(name.split("-")[1]) < version]
