"""What a name in a manifest or in a list stands for: a file, a folder, or an object in storage."""

from collections.abc import Iterator
from pathlib import Path

from facemon.domain.image_input import ImageProblem, url_problem
from facemon.domain.prediction import ErrorCode
from facemon.local_path import file_of, shown_url, url_scheme
from facemon.object_storage.location import LocationError, is_location, parse_location
from facemon.predict.archive_images import local_archive, remote_archive
from facemon.predict.inputs.file_url import FileUrl
from facemon.predict.inputs.folder import Folder
from facemon.predict.inputs.input_kind import Found, Given
from facemon.predict.inputs.objects import Objects, object_image
from facemon.predict.object_image import NOTHING, Expected

_READ = "s3://, gs://, az:// and file://"
_FOLDER, _FILE_URL, _OBJECTS = Folder(), FileUrl(), Objects()


def refuse_unread(url: str) -> None:
    """LocationError for an address that names nothing which can be read; whether it is there is not asked."""
    scheme = url_scheme(url)
    if is_location(url):
        parse_location(url)
    elif is_location(shown_url(url)):
        raise LocationError(url, "is written with one slash, not two", f"write {shown_url(url)}")
    elif scheme == "file":
        try:
            file_of(url)
        except ValueError as error:
            raise LocationError(url, str(error), "write file:///data/photos, with three slashes") from error
    else:
        raise LocationError(
            url, f"is a URL ({scheme}://), and only {_READ} are read",
            "copy it to a local disk, and name the local path",
        )  # fmt: skip


def listed_image(name: str, given: Given, expected: Expected = NOTHING) -> Found:
    """Return the image that an input names; an address that cannot be read is a problem in its place."""
    if url_scheme(name) is None:
        return Found(name, is_listed=True, archive=local_archive(name))
    if (problem := _unread(name, given)) is not None:
        return Found(name, problem=problem)
    if not is_location(name):
        file = file_of(name)
        return Found(name, file=Path(file), is_listed=True, archive=local_archive(file))
    if given.root is not None:
        return Found(name, problem=ImageProblem(ErrorCode.DENIED, "lies outside --root, which is a local folder"))
    location = parse_location(name)
    if location.is_prefix:
        return Found(name, problem=ImageProblem(ErrorCode.UNREADABLE, "names a prefix, not an object"))
    if (archive := remote_archive(location, expected)) is not None:
        return Found(name, archive=archive)
    return Found(name, fetch=object_image(location, given, expected))


def listed_images(name: str, given: Given) -> Iterator[Found]:
    """Yield the images that an entry of a list stands for: also those below a folder, or below s3://bucket/photos/."""
    if url_scheme(name) is None:
        if _FOLDER.takes(name):
            yield from _FOLDER.open(name, given)
        else:
            yield Found(name, archive=local_archive(name))
    elif (problem := _unread(name, given)) is not None:
        yield Found(name, problem=problem)
    elif not is_location(name):
        yield from _FILE_URL.open(name, given)
    elif parse_location(name).is_prefix:
        yield from _OBJECTS.open(name, given)
    else:
        yield listed_image(name, given)


def _unread(name: str, given: Given) -> ImageProblem | None:
    """What keeps an address from being read, whatever lies there."""
    if given.stores is None:
        return url_problem(name)
    try:
        refuse_unread(name)
    except LocationError as error:
        return ImageProblem(ErrorCode.UNREADABLE, f"{error.what}: {error.hint}")
    return None
