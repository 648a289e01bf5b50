"""An address such as file:///data/photos: the image or folder of this machine that it names."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from facemon.local_path import file_of, file_url, url_scheme
from facemon.predict.archive_images import local_archive
from facemon.predict.inputs.folder import Folder
from facemon.predict.inputs.input_kind import Found, Given, InputKind

_FOLDER = Folder()


class FileUrl(InputKind):
    """The address of a file or folder, whose images are named by addresses too."""

    def takes(self, path: str) -> bool:
        """Whether it is an address of a file."""
        return url_scheme(path) == "file"

    def on_disk(self, path: str) -> str:
        """Return the path that it names; ValueError where it names none."""
        return file_of(path)

    def open(self, path: str, given: Given) -> Iterator[Found]:
        """Return its images."""
        file = file_of(path)
        if not _FOLDER.takes(file):
            return iter((Found(path, file=Path(file), archive=local_archive(file)),))
        found = (replace(each, name=file_url(each.name), file=Path(each.name)) for each in _FOLDER.found(file, given))
        return given.entered_if_empty(path, found)
