"""How Python hears what a use case says beside what it returns: trouble as a warning, all else in the log `facemon`."""

import contextlib
import inspect
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

from facemon.application.operation import HiddenProgress, Progress

_LOG = logging.getLogger("facemon")
_PACKAGE = f"{Path(__file__).parents[1]}{os.sep}"


class PythonReporter:
    """Warns of trouble at the line that called facemon, and logs the rest."""

    def say(self, text: str) -> None:
        """Log what was done."""
        _LOG.info(text)

    def detail(self, text: str) -> None:
        """Log what few want to know."""
        _LOG.debug(text)

    def notice(self, text: str) -> None:
        """Log what must not be overlooked."""
        _LOG.warning(text)

    def warn(self, text: str) -> None:
        """Warn of trouble that does not stop the call."""
        warnings.warn(text, stacklevel=_depth_of_caller())

    @contextlib.contextmanager
    def progress(self, label: str, unit: str) -> Iterator[Progress]:
        """Show nothing: the program knows what it waits for."""
        del label, unit
        yield HiddenProgress()


def _depth_of_caller() -> int:
    """The `stacklevel` of the first frame outside facemon, for the method that calls this."""
    depth, frame = 1, inspect.currentframe()
    while frame := frame and frame.f_back:
        file = frame.f_code.co_filename
        if not file.startswith(_PACKAGE) and file != contextlib.__file__:
            return depth
        depth += 1
    return depth
