"""Decide whether a result may replace a file: only one that facemon wrote for the same purpose."""

import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from facemon.errors import UsageError
from facemon.store.own_files import refuse_own_file


def refuse_other_file(path: Path, is_ours: Callable[[Path], bool], what: str) -> None:
    """UsageError for a file of a store, and for one that is there and that facemon did not write.

    So neither a configuration nor a model is lost to a slip of the command line. `is_ours` looks at the content, and
    raises OSError where it cannot; `what` names such a file in the message. Empty files and devices lose nothing.
    """
    refuse_own_file(path)
    try:
        status = path.stat()
        is_replaced = not stat.S_ISREG(status.st_mode) or not status.st_size or is_ours(path)
    except OSError:
        return  # not there, or what writes it says why it cannot
    if not is_replaced:
        raise UsageError(f"{path} exists, and is not a {what} that facemon wrote", "name another file, or move it")


def refuse_input(path: Path, inputs: Iterable[str | Path | None]) -> None:
    """UsageError where the result of a command would take the place of a file that it reads, through links too.

    Earlier rows may be a manifest now, or true labels that a person has corrected: no content tells.
    """
    for each in inputs:
        try:
            is_same = each is not None and path.samefile(each)
        except (OSError, ValueError):
            continue  # not there, or no path at all
        if is_same:
            raise UsageError(f"{path} is an input of this command, which must not be replaced", "name another file")
