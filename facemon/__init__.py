"""facemon: the toolkit that keeps a face-attribute classifier honest in production."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facemon.monitor.monitor import Monitor

__all__ = ["Monitor", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # The command line imports this module too, and must not pay for what it does not use.
    if name == "Monitor":
        from facemon.monitor.monitor import Monitor

        return Monitor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
