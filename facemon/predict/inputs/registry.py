"""The kinds of inputs, in the order in which they are asked whether a path is theirs."""

from collections.abc import Sequence

from facemon.predict.inputs.file_url import FileUrl
from facemon.predict.inputs.folder import Folder
from facemon.predict.inputs.image_file import ImageFile
from facemon.predict.inputs.input_kind import InputKind
from facemon.predict.inputs.manifest_file import ManifestFile
from facemon.predict.inputs.objects import Objects
from facemon.predict.inputs.path_list import PathList
from facemon.predict.inputs.tar_archive import CompressedTar, TarArchive

INPUT_KINDS: list[InputKind] = [
    PathList(), Objects(), TarArchive(), CompressedTar(), FileUrl(), ManifestFile(), Folder(), ImageFile(),
]  # fmt: skip


def input_kind(path: str) -> InputKind:
    """Return the kind of a path of the command line."""
    return next(kind for kind in INPUT_KINDS if kind.takes(path))


def kind_opened_first(path: str) -> InputKind | None:
    """Return the kind of a path that is opened before the first image is read; none for others, not looked at."""
    return next((kind for kind in INPUT_KINDS if kind.is_opened_first and kind.takes(path)), None)


def are_read_once(paths: Sequence[str]) -> bool:
    """Whether the images below some paths cannot be counted before they are predicted."""
    return any(input_kind(path).is_read_once for path in paths)
