"""Decide whether a result may replace a file: only one that facemon wrote for the same purpose."""

import stat
from collections.abc import Callable
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
