"""ONNX graphs that are ready to run on one thread; the only file that imports onnxruntime."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_errors

from facemon.errors import FacemonError

Floats = NDArray[np.float32]
_ERRORS_ONLY = 3
# onnxruntime's exceptions have no base class of their own.
_LOAD_ERRORS = (
    runtime_errors.Fail, runtime_errors.InvalidArgument, runtime_errors.InvalidGraph, runtime_errors.InvalidProtobuf,
    runtime_errors.NoModel, runtime_errors.NoSuchFile, runtime_errors.NotFound, runtime_errors.NotImplemented,
    runtime_errors.RuntimeException, runtime_errors.ModelRequiresCompilation,
)  # fmt: skip
_RUN_ERRORS = (
    runtime_errors.Fail, runtime_errors.InvalidArgument, runtime_errors.NotImplemented, runtime_errors.RuntimeException,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or an output of a graph; a dimension without a fixed length has a name or is none."""

    name: str
    type: str
    shape: tuple[int | str | None, ...]

    def __str__(self) -> str:
        dimensions = ", ".join("?" if length is None else str(length) for length in self.shape)
        return f"{self.name} {self.type} [{dimensions}]"


class Graph:
    """A loaded ONNX graph; several threads may run it at once."""

    def __init__(self, content: bytes, name: str) -> None:
        """Load a graph from a file's bytes; `name` is what errors call it. FacemonError when that fails."""
        onnxruntime.set_default_logger_severity(_ERRORS_ONLY)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _ERRORS_ONLY
        # Workers are threads of ours, one for each core: more inside a run would only take turns with them.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._name = name
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except _LOAD_ERRORS as error:
            raise FacemonError(f"{name}: no ONNX model that can be run: {_plain(error)}") from error

    @cached_property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the graph wants."""
        return _tensors(self._session.get_inputs())

    @cached_property
    def outputs(self) -> tuple[Tensor, ...]:
        """What the graph answers."""
        return _tensors(self._session.get_outputs())

    def run(self, input_name: str, batch: Floats, output_names: Sequence[str]) -> Mapping[str, Floats]:
        """The named outputs for a batch, along their first axis; a fixed batch size of the graph is catered for."""
        fixed = self.inputs[0].shape[0]
        step = fixed if isinstance(fixed, int) else len(batch)
        pieces = [self._run(input_name, batch[start : start + step], step, output_names)
                  for start in range(0, len(batch), step)]  # fmt: skip
        if len(pieces) == 1:
            return dict(zip(output_names, pieces[0], strict=True))
        return {
            name: np.concatenate(parts) for name, parts in zip(output_names, zip(*pieces, strict=True), strict=True)
        }

    def _run(self, input_name: str, batch: Floats, size: int, output_names: Sequence[str]) -> list[Floats]:
        missing = size - len(batch)
        if missing:
            batch = np.concatenate([batch, np.repeat(batch[-1:], missing, axis=0)])
        try:
            outputs = self._session.run(output_names, {input_name: batch})
        except _RUN_ERRORS as error:
            raise FacemonError(f"{self._name}: the model failed on its input: {_plain(error)}") from error
        for name, output in zip(output_names, outputs, strict=True):
            if output.ndim == 0 or len(output) != size:
                raise FacemonError(
                    f"{self._name}: the output {name} has the shape {list(output.shape)} for {size} faces",
                    "its first dimension must be the batch",
                )
        return [output[: size - missing] for output in outputs]


def _tensors(nodes: Sequence[onnxruntime.NodeArg]) -> tuple[Tensor, ...]:
    return tuple(
        Tensor(node.name, node.type.removeprefix("tensor(").removesuffix(")"), tuple(node.shape)) for node in nodes
    )


def _plain(error: Exception) -> str:
    # The sentence follows a prefix such as "[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : ".
    return " ".join(str(error).split(" : ")[-1].split())
