"""A folder: the images in it and below, as `FolderWalk` says."""

import os
import stat
from collections.abc import Iterator

from facemon.domain.image_input import shown_name
from facemon.predict.inputs.input_kind import Found, Given, InputKind


class Folder(InputKind):
    """A folder, which is read as the stream reaches it."""

    def takes(self, path: str) -> bool:
        """Return whether the path is a folder now; False where it cannot be read, of which the image reader tells."""
        try:
            return stat.S_ISDIR(os.stat(path).st_mode)  # noqa: PTH116 - called for every path of a list
        except (OSError, ValueError):
            return False

    def open(self, path: str, given: Given) -> Iterator[Found]:
        """Yield its images."""
        is_empty = True
        for name, problem in given.walk.below(path):
            is_empty = False
            yield Found(name, problem)
        if is_empty:
            given.empty.append(shown_name(path))
