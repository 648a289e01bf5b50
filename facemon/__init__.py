"""facemon: the toolkit that monitors a face-attribute classifier in production."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import facemon.no_telemetry  # noqa: F401 - before anything that would send something
from facemon.version import __version__

if TYPE_CHECKING:
    from facemon.domain.drift_result import DriftResult, Verdict
    from facemon.monitor.instrument import instrument
    from facemon.monitor.monitor import Monitor

__all__ = ["DriftResult", "Monitor", "Verdict", "__version__", "instrument"]

_HOMES = {
    "DriftResult": "facemon.domain.drift_result",
    "Monitor": "facemon.monitor.monitor",
    "Verdict": "facemon.domain.drift_result",
    "instrument": "facemon.monitor.instrument",
}


def __getattr__(name: str) -> Any:
    # The command line imports this module too, and must not pay for what it does not use.
    if home := _HOMES.get(name):
        return getattr(import_module(home), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
