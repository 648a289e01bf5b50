"""Files of networks: read, hashed and opened; the one place where a graph is opened, and its runtime is chosen."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from facemon.model.external_weights import external_files, external_weights
from facemon.model.graph import Graph, NotLoadedError, Session
from facemon.model.resources import resource_bytes
from facemon.model.sessions import OnnxSession
from facemon.model.subnormal_weights import without_subnormals
from facemon.model.weight_files import read_weights, refuse_other_kinds, refuse_pointers
from facemon.model.zip_maps import with_sources, zip_maps

RUNTIME: Callable[[bytes, str, Sequence[str], Path | None], Session] = OnnxSession
"""What loads a graph, as OnnxSession does; another runtime is a file beside this one, and its name here."""
_PROCESSOR = ("cpu",)


@dataclass(frozen=True)
class GraphFile:
    """The bytes of an ONNX file, and where it lies."""

    content: bytes
    name: str
    """What errors call it."""
    folder: Path | None = None
    """Where weights outside the file may lie; None where it cannot have any."""

    @classmethod
    def read(cls, path: Path, fault: str, hint: str) -> Self:
        """Read a file; FacemonError as for `read_weights`."""
        return cls(read_weights(path, fault, hint), str(path), path.absolute().parent)

    @classmethod
    def of_package(cls, package: str, path: str) -> Self:
        """Read a file inside an installed package; FacemonError where it is missing or not an ONNX file."""
        content, name = resource_bytes(package, path), f"{package}/{path}"
        refuse_other_kinds(content, name)
        return cls(content, name)

    @cached_property
    def sha256(self) -> str:
        """The digest of the file itself."""
        return hashlib.sha256(self.content).hexdigest()

    def weights(self) -> list[str]:
        """The digests of the files beside it in which it keeps weights, in the order of their names."""
        return external_weights(self.content, self.folder) if self.folder else []

    def opened(self, providers: Sequence[str] = _PROCESSOR) -> Graph:
        """Open the graph, to run on execution providers by the names of the configuration, the preferred first.

        FacemonError when a provider is not there or the graph cannot be loaded, which includes weights that lie
        outside `folder`.
        """
        found = zip_maps(self.content)
        try:
            session = RUNTIME(with_sources(without_subnormals(self.content), found), self.name, providers, self.folder)
        except NotLoadedError:
            if self.folder is not None:
                refuse_pointers(external_files(self.content, self.folder))
            raise
        return Graph(session, self.name, found)
