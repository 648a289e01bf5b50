"""What the address of a log that many machines write names: a prefix of a bucket, or a folder that they all mount."""

from dataclasses import dataclass
from pathlib import Path

from facemon.errors import UsageError
from facemon.local_path import file_of, file_url, url_scheme
from facemon.object_storage.location import Location, LocationError, is_location, parse_location

_ADDRESSES = "write s3://BUCKET/PREFIX/, gs://…, az://… or file:///FOLDER/"


@dataclass(frozen=True, slots=True)
class FolderAddress:
    """A folder of objects; of `location` and `path` one is there."""

    url: str
    """With a slash at its end."""
    location: Location | None = None
    path: Path | None = None


def parse_folder(text: str) -> FolderAddress:
    """Read an address, with or without a slash at its end; UsageError where it names no folder.

    Neither its message nor its hint repeats a secret that it holds.
    """
    if is_location(text):
        location = parse_location(text)
        location = location if location.is_prefix else location.at(f"{location.key}/")
        return FolderAddress(location.url, location=location)
    if (scheme := url_scheme(text)) is None:
        raise UsageError(f"{text}: is not an address", f"{_ADDRESSES}, for a folder that all machines mount")
    if scheme != "file":
        raise LocationError(text, "is not an address of object storage or of a shared folder", _ADDRESSES)
    try:
        path = Path(file_of(text))
    except ValueError as error:
        raise LocationError(text, str(error), _ADDRESSES) from error
    if "\0" in str(path):
        raise LocationError(text, "holds the character NUL, which no path can", _ADDRESSES)
    return FolderAddress(f"{file_url(str(path))}/" if str(path) != "/" else "file:///", path=path)
