"""Paths of the command line that cannot be what they should: told before anything is read, written or logged."""

from os import PathLike

from facemon.errors import UsageError
from facemon.local_path import home_fault, shown_url, url_fault


def refuse_url(path: "str | PathLike[str]") -> None:
    """UsageError for an address such as s3://bucket/photos."""
    if fault := url_fault(path):
        raise UsageError(f"{shown_url(path)}: {fault.what}", fault.remedy)


def refuse_home(path: "str | PathLike[str]") -> None:
    """UsageError for a path such as ~/photos that no shell has replaced, as in --out=~/photos or in a variable."""
    if fault := home_fault(path):
        raise UsageError(f"{path}: {fault.what}", fault.remedy)
