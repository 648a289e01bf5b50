"""The paths that predict is given, looked at before anything is loaded, predicted or logged.

Paths from lists and manifests are not looked at: each of them is a row, with an error where it cannot be read.
"""

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from facemon.application.local_paths import refuse_url
from facemon.application.operation import Operation
from facemon.application.reachable_storage import refuse_unreachable
from facemon.domain.image_input import shown_name
from facemon.errors import UsageError
from facemon.printable import Lines, printable

if TYPE_CHECKING:
    from facemon.config.document import Config

_MOST_SHOWN = 5
_VIDEOS = (
    ".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp", ".ts", ".mts", ".m2ts",
    ".h264", ".h265", ".hevc", ".ogv",
)  # fmt: skip


_MISSING = "missing"
_CORRECT = "nothing was logged: correct the path; of a list (predict - < list.txt) a missing image is a row"


class _Fault(NamedTuple):
    kind: str
    what: str
    remedy: str = ""


class _Refused(NamedTuple):
    """Files of a kind that predict does not read."""

    kind: str
    what: str
    """Why they are refused; {} is the suffix."""
    remedy: str
    commands: Mapping[str, str]
    """The command that `remedy` names, by suffix; {} is the path."""


_REFUSED = (
    _Refused("compressed tar", "is a tar archive that is not compressed with gzip ({})",
             "decompress it and name the .tar", {
        ".tar.bz2": "bzip2 -dk {}", ".tbz2": "bzip2 -dk {}", ".tbz": "bzip2 -dk {}", ".tar.xz": "xz -dk {}",
        ".txz": "xz -dk {}", ".tar.zst": "zstd -d {}", ".tzst": "zstd -d {}",
    }),
    _Refused("archive", "is an archive ({}), not an image", "unpack it and name the folder", {
        ".zip": "unzip {}", ".7z": "7z x {}", ".rar": "unrar x {}",
    }),
    _Refused("video", "is a video ({}), not an image", "write its frames into a folder first",
             dict.fromkeys(_VIDEOS, "ffmpeg -i {} -vf fps=1 frames/%06d.jpg")),
)  # fmt: skip


def refuse_unusable_paths(operation: Operation, paths: Sequence[str], null: bool, *, has_begun: bool) -> None:
    """UsageError for what predict cannot take; a run that `has_begun` may have paths that are gone since."""
    refuse_null(paths, null=null)
    if not has_begun:
        refuse_paths(paths)
    refuse_without_boxes(operation.config, paths)
    refuse_unreachable(paths, operation.config.tables, has_begun=has_begun)


def refuse_null(paths: Sequence[str], *, null: bool) -> None:
    """UsageError for `--null` without a list on stdin."""
    from facemon.predict.inputs.path_list import LIST

    if null and LIST not in paths:
        raise UsageError("--null needs a list on stdin", "add - for stdin: facemon predict -0 -")


def refuse_paths(paths: Sequence[str], missing: str = _CORRECT, *, reads_urls: bool = True) -> None:
    """UsageError for paths that cannot be predicted: those that are not there, other addresses, archives and videos.

    A path that cannot be looked at for another reason, such as a permission, becomes a row that says so. `missing` is
    the hint for paths that are not there. Whether object storage answers is not asked. Without `reads_urls` each
    address is refused.
    """
    for path in paths:
        _refuse_address(path, reads_urls=reads_urls)
    faults = [fault for path in paths if (fault := _fault_of(path)) is not None]
    if not faults:
        return
    lines = [fault.what for fault in faults[:_MOST_SHOWN]]
    if len(faults) > _MOST_SHOWN:
        lines.append(f"and {len(faults) - _MOST_SHOWN:,} paths more")
    remedies = {fault.kind: fault.remedy for fault in reversed(faults)} | {_MISSING: missing}
    raise UsageError(
        Lines("\n".join(lines)), "; ".join(remedies[kind] for kind in dict.fromkeys(each.kind for each in faults))
    )


def refuse_without_boxes(config: "Config", paths: Sequence[str]) -> None:
    """UsageError where the finder takes faces from a manifest and a path brings none: no image would have a face."""
    from facemon.finders.registry import finder_of, finders_for_bare_images
    from facemon.near_names import either

    finder = finder_of(config.model.faces)
    if not finder.takes_boxes:
        return
    box, (searching, whole) = config.tables.box, finders_for_bare_images()
    if without := next(_without_boxes(config, paths), None):
        raise UsageError(
            f"model.faces.finder is {finder.name}, but {without}",
            f"name a manifest with a column {box}, or set model.faces.finder to {either([*searching, *whole])}",
        )


def _refuse_address(path: str, *, reads_urls: bool) -> None:
    """UsageError for an address that is not read, and for one whose suffix is not an image's."""
    from facemon.local_path import file_of, shown_url, url_scheme
    from facemon.predict.folder_walk import is_folder
    from facemon.predict.inputs.listed_image import refuse_unread
    from facemon.predict.manifest import is_manifest

    if (scheme := url_scheme(path)) is None:
        return
    if not reads_urls:
        refuse_url(path)
    refuse_unread(path)
    names_folder = path.endswith("/") or (scheme == "file" and is_folder(file_of(path)))
    others = tuple(suffix for refused in _REFUSED for suffix in refused.commands)
    if not names_folder and (is_manifest(path) or path.lower().endswith(others)):
        raise UsageError(
            f"{shown_url(path)}: is neither an image nor a tar archive: facemon reads it only from a local path",
            "copy it to a local disk, and name the local path",
        )


def _fault_of(path: str) -> _Fault | None:
    from facemon.predict.inputs.image_file import ImageFile
    from facemon.predict.inputs.registry import input_kind

    kind = input_kind(path)
    if (on_disk := kind.on_disk(path)) is None:
        return None
    shown = printable(shown_name(path))
    try:
        os.stat(on_disk)  # noqa: PTH116 - Path("") would be the working folder
    except (FileNotFoundError, NotADirectoryError):
        return _Fault(_MISSING, f"{shown or repr(shown)}: no such file or directory")
    except OSError:
        return None
    return _of_kind(path, shown) if isinstance(kind, ImageFile) else None


def _of_kind(path: str, shown: str) -> _Fault | None:
    name = Path(path).name.lower()
    for refused in _REFUSED:
        for suffix, command in refused.commands.items():
            if name.endswith(suffix):
                what, remedy = refused.what.format(suffix), command.format(shlex.quote(shown))
                return _Fault(refused.kind, f"{shown}: {what}", f"{refused.remedy}: {remedy}")
    return None


def _without_boxes(config: "Config", paths: Sequence[str]) -> Iterator[str]:
    from facemon.predict.inputs.registry import input_kind

    for path in paths:
        shown = printable(shown_name(path))
        if (reason := input_kind(path).without_boxes(path, shown, config.tables)) is not None:
            yield reason
