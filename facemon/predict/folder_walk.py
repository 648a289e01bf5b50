"""The images and tar archives below a folder, in an order that the next run repeats, and a count of other files."""

import os
import stat
from collections.abc import Iterator, Sequence

from facemon.domain.formats.registry import suffixes_of
from facemon.domain.image_input import ImageProblem, tar_suffix
from facemon.domain.prediction import ErrorCode
from facemon.predict.skipped_files import SkippedFiles

_BESIDE_IMAGES = frozenset(("@eadir", "__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini"))
"""What Synology, macOS and Windows put beside images, thumbnails above all, in lower case."""


def is_folder(path: str) -> bool:
    """Return whether a path is a folder now; False where it cannot be looked at, of which its reader tells."""
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)  # noqa: PTH116 - called for every path of a list
    except (OSError, ValueError):
        return False


class FolderWalk:
    """Walks folders; names are sorted within each, and a folder's content comes where its name does.

    Hidden files and folders are left out, macOS' resource forks (`._photo.jpg`) and `.thumbnails` with them. Links to
    folders are counted and not followed, so no loop of links is endless. A link that is walked itself is followed.
    """

    def __init__(self, formats: Sequence[str]) -> None:
        """`formats` are those of `predict.formats`; extensions say which files have them."""
        self.suffixes = suffixes_of(formats)
        """What is taken, in any case."""
        self.skipped = SkippedFiles(formats)
        """All other files and the linked folders, unless hidden; known when the walk has passed them."""

    def below(self, directory: str) -> Iterator[tuple[str, ImageProblem | None]]:
        """Yield the path of each image and each tar archive; a folder that cannot be listed comes with that problem."""
        # A stack of iterators, not recursion: each open level holds the names of one directory only.
        levels = [self._entries(directory)]
        while levels:
            found = next(levels[-1], None)
            if found is None:
                levels.pop()
            elif isinstance(found, str):
                levels.append(self._entries(found))
            else:
                yield found

    def _entries(self, directory: str) -> Iterator[tuple[str, ImageProblem | None] | str]:
        """The images of one directory, and its subdirectories as bare paths, sorted by name."""
        kept: list[tuple[str, bool]] = []
        linked: list[str] = []
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    if is_left_out(entry.name):
                        continue
                    if _is_link_to_folder(entry):
                        linked.append(entry.path)
                    elif (is_directory := entry.is_dir(follow_symlinks=False)) or self._is_taken(entry.name):
                        kept.append((entry.name, is_directory))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            code = ErrorCode.DENIED if isinstance(error, PermissionError) else ErrorCode.UNREADABLE
            yield directory, ImageProblem(code, f"the directory cannot be listed: {reason}")
            return
        for path in sorted(linked):
            self.skipped.add_linked_folder(path)
        for name, is_directory in sorted(kept):
            path = os.path.join(directory, name)  # noqa: PTH118 - Path would drop a leading ./ that the user gave
            yield path if is_directory else (path, None)

    def _is_taken(self, name: str) -> bool:
        suffix = suffix_of(name)
        if suffix in self.suffixes or tar_suffix(name):
            return True
        self.skipped.add(suffix)
        return False


def _is_link_to_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_symlink() and entry.is_dir()
    except OSError:  # a loop of links, a target that may not be looked at: says nothing of the files beside it
        return False


def suffix_of(name: str) -> str:
    """Return the extension of a file's name, in lower case with the dot; an empty one where it has none."""
    return os.path.splitext(name)[1].lower()  # noqa: PTH122 - called for every file there is


def is_left_out(name: str) -> bool:
    """Whether a file or a folder of this name is neither read nor counted."""
    return name.startswith(".") or name.lower() in _BESIDE_IMAGES
