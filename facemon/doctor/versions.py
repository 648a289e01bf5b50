"""The versions of facemon, of Python and of the libraries that decide what it computes."""

import platform
from dataclasses import dataclass
from importlib import metadata

from facemon.doctor.area import Area
from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined
from facemon.version import __version__

_LIBRARIES = ("onnxruntime", "numpy", "pyarrow", "pillow", "prometheus-client", "evidently")


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """Versions by name; None for a library that is not installed."""

    facemon: str
    python: str
    libraries: tuple[tuple[str, str | None], ...]


def gather(_: Examination) -> VersionFacts:
    """Ask the installed distributions; none of them is imported."""
    return VersionFacts(__version__, platform.python_version(), tuple((name, _version(name)) for name in _LIBRARIES))


def judge(facts: VersionFacts) -> Examined:
    """List them."""
    libraries = [f"{name} {version or 'not installed'}" for name, version in facts.libraries]
    return Examined(", ".join((f"facemon {facts.facemon}", f"Python {facts.python}", *libraries)))


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


AREA = Area("versions", gather, judge)
