"""A folder: the images in it and below, as `FolderWalk` says."""

from collections.abc import Iterator

from facemon.predict.archive_images import local_archive
from facemon.predict.folder_walk import is_folder
from facemon.predict.inputs.input_kind import Found, Given, InputKind


class Folder(InputKind):
    """A folder, which is read as the stream reaches it."""

    def takes(self, path: str) -> bool:
        """Return whether the path is a folder now."""
        return is_folder(path)

    def open(self, path: str, given: Given) -> Iterator[Found]:
        """Return its images."""
        return given.entered_if_empty(path, self.found(path, given))

    def found(self, path: str, given: Given) -> Iterator[Found]:
        """Yield what is in it, archives unopened."""
        for name, problem in given.walk.below(path):
            yield Found(name, problem, archive=None if problem else local_archive(name))
