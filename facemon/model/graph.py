"""A graph that is ready to run on batches of faces, whatever runtime runs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from facemon.errors import FacemonError
from facemon.model.zip_maps import ZipMap

Numbers = NDArray[Any]
INPUT_TYPES: Mapping[str, type[np.generic]] = {
    "float": np.float32,
    "float16": np.float16,
    "double": np.float64,
    "uint8": np.uint8,
    "int8": np.int8,
    "int32": np.int32,
}
"""What a network may take, by the name of its tensor type."""
FAILED = "the model failed on its input: "
"""What the message of a failed run has between the model's name and the reason."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or an output of a graph; a dimension without a fixed length has a name or is none.

    `type` is that of its numbers; of what is not a tensor it is the whole type, such as seq(map(int64,tensor(float))).
    """

    name: str
    type: str
    shape: tuple[int | str | None, ...]

    def __str__(self) -> str:
        if "(" in self.type:  # not a tensor: a sequence or a mapping has no shape
            return f"{self.name} {self.type}"
        dimensions = ", ".join("?" if length is None else str(length) for length in self.shape)
        return f"{self.name} {self.type} [{dimensions}]"


class RunFailedError(Exception):
    """A runtime failed on a batch; the text is its reason."""


class NotLoadedError(FacemonError):
    """A runtime cannot load a file."""


class Session(Protocol):
    """A graph that a runtime has loaded; several threads may run it at once, each run on one thread."""

    def inputs(self) -> tuple[Tensor, ...]:
        """The graph's inputs."""

    def outputs(self) -> tuple[Tensor, ...]:
        """The graph's outputs."""

    def metadata(self) -> Mapping[str, str]:
        """What the file's author wrote into it, such as labels."""

    def run(self, input_name: str, batch: Numbers, output_names: Sequence[str] | None) -> list[Any]:
        """The named outputs for a batch, None = all of them, in whatever form; RunFailedError where it fails."""


class Graph:
    """A loaded ONNX graph; several threads may run it at once."""

    def __init__(self, session: Session, name: str, zip_maps: tuple[ZipMap, ...] = ()) -> None:
        self._session = session
        self.name = name
        """What errors call it."""
        self.zip_maps = zip_maps
        """The nodes whose outputs are mappings; what they are made of is among `outputs`."""

    @cached_property
    def inputs(self) -> tuple[Tensor, ...]:
        """The graph's inputs."""
        return self._session.inputs()

    @cached_property
    def outputs(self) -> tuple[Tensor, ...]:
        """The graph's outputs."""
        return self._session.outputs()

    @cached_property
    def metadata(self) -> Mapping[str, str]:
        """What the file's author wrote into it, such as labels."""
        return self._session.metadata()

    def run(
        self, input_name: str, batch: Numbers, output_names: Sequence[str], *, at_once: int | None = None
    ) -> Mapping[str, Numbers]:
        """The named outputs for a batch, along their first axis.

        A graph with a fixed batch size, or from which no more than `at_once` rows are asked at a time, runs as often
        as the batch needs. Where it takes one face at a time, an
        output that lacks the batch dimension gets it.
        """
        fixed = self.inputs[0].shape[0]
        step = at_once or len(batch)
        if isinstance(fixed, int):
            step = min(fixed, step)
        size = fixed if isinstance(fixed, int) else None
        pieces = [self._run(input_name, batch[start : start + step], size, output_names)
                  for start in range(0, len(batch), step)]  # fmt: skip
        if len(pieces) == 1:
            return dict(zip(output_names, pieces[0], strict=True))
        return {
            name: np.concatenate(parts) for name, parts in zip(output_names, zip(*pieces, strict=True), strict=True)
        }

    def run_plainly(self, input_name: str, batch: Numbers, output_names: Sequence[str] | None) -> list[Any]:
        """What the named outputs are for a batch, none = all of them, in whatever form.

        FacemonError where the graph fails.
        """
        try:
            return self._session.run(input_name, batch, output_names)
        except RunFailedError as error:
            raise FacemonError(f"{self.name}: {FAILED}{error}") from error

    def _run(self, input_name: str, batch: Numbers, size: int | None, output_names: Sequence[str]) -> list[Numbers]:
        size = size or len(batch)
        missing = size - len(batch)
        if missing:
            batch = np.concatenate([batch, np.repeat(batch[-1:], missing, axis=0)])
        outputs = self.run_plainly(input_name, batch, output_names)
        for name, output in zip(output_names, outputs, strict=True):
            if not isinstance(output, np.ndarray):
                raise FacemonError(
                    f"{self.name}: the output {name} is not a tensor", "name an output that is one in model.networks"
                )
        if size == 1:  # an output without a batch dimension is the one face's
            outputs = [output if output.shape[:1] == (1,) else output[np.newaxis] for output in outputs]
        for name, output in zip(output_names, outputs, strict=True):
            if output.ndim == 0 or len(output) != size:
                raise FacemonError(
                    f"{self.name}: the output {name} has the shape {list(output.shape)} for {size} faces",
                    "its first dimension must be the batch",
                )
        return [output[: size - missing] for output in outputs]
