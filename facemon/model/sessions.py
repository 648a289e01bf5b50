"""ONNX graphs that are ready to run on one thread; the only file that imports onnxruntime."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_errors

from facemon.errors import FacemonError
from facemon.model.external_weights import external_files
from facemon.model.subnormal_weights import without_subnormals
from facemon.model.weight_files import refuse_pointers
from facemon.model.zip_maps import with_sources, zip_maps

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
_ERRORS_ONLY, _NOTHING_BUT_FATAL = 3, 4
_SUFFIX = "ExecutionProvider"
_CPU = "cpu"
_WHEELS = {"cuda": "onnxruntime-gpu", "tensorrt": "onnxruntime-gpu", "openvino": "onnxruntime-openvino",
           "dml": "onnxruntime-directml", "migraphx": "onnxruntime-migraphx"}  # fmt: skip
"""The packages that hold a provider which the plain one lacks."""
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


class Graph:
    """A loaded ONNX graph; several threads may run it at once."""

    def __init__(
        self, content: bytes, name: str, *, providers: Sequence[str] = (_CPU,), folder: Path | None = None
    ) -> None:
        """Load a graph from a file's bytes; `name` is what errors call it.

        `providers` are execution providers by the names of the configuration, the preferred first; `folder` is where
        weights outside the file may lie. FacemonError when a provider is not there or the graph cannot be loaded,
        which includes weights that lie outside `folder`.
        """
        onnxruntime.set_default_logger_severity(_ERRORS_ONLY)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _ERRORS_ONLY
        # Workers are threads of ours, one for each core: more inside a run would only take turns with them.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if folder is not None:
            options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(folder))
        self._run_options = onnxruntime.RunOptions()
        # A failure is an exception, which says the same.
        self._run_options.log_severity_level = _NOTHING_BUT_FATAL
        self._name = name
        self.zip_maps = zip_maps(content)
        """The nodes whose outputs are mappings; what they are made of is among `outputs`."""
        try:
            self._session = onnxruntime.InferenceSession(
                with_sources(without_subnormals(content), self.zip_maps), options, providers=_full_names(providers)
            )
        except _LOAD_ERRORS as error:
            if folder is not None:
                refuse_pointers(external_files(content, folder))
            raise _not_loaded(name, error) from error
        # A provider whose libraries are missing is passed over with no more than a warning.
        started = self._session.get_providers()
        for provider in providers:
            if not any(provider == _short_name(full) for full in started):
                raise FacemonError(
                    f"the execution provider {provider} did not start, although onnxruntime has it",
                    "check its driver and libraries, or take it out of predict.providers",
                )

    @cached_property
    def inputs(self) -> tuple[Tensor, ...]:
        """What the graph wants."""
        return _tensors(self._session.get_inputs())

    @cached_property
    def outputs(self) -> tuple[Tensor, ...]:
        """What the graph answers."""
        return _tensors(self._session.get_outputs())

    @cached_property
    def metadata(self) -> Mapping[str, str]:
        """What the file's author wrote into it, such as labels."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

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
            return list(self._session.run(output_names, {input_name: batch}, self._run_options))
        except _RUN_ERRORS as error:
            raise FacemonError(f"{self._name}: {FAILED}{_plain(error)}") from error

    def _run(self, input_name: str, batch: Numbers, size: int | None, output_names: Sequence[str]) -> list[Numbers]:
        size = size or len(batch)
        missing = size - len(batch)
        if missing:
            batch = np.concatenate([batch, np.repeat(batch[-1:], missing, axis=0)])
        outputs = self.run_plainly(input_name, batch, output_names)
        for name, output in zip(output_names, outputs, strict=True):
            if not isinstance(output, np.ndarray):
                raise FacemonError(f"{self._name}: the output {name} is not a tensor")
        if size == 1:  # an output without a batch dimension is the one face's
            outputs = [output if output.shape[:1] == (1,) else output[np.newaxis] for output in outputs]
        for name, output in zip(output_names, outputs, strict=True):
            if output.ndim == 0 or len(output) != size:
                raise FacemonError(
                    f"{self._name}: the output {name} has the shape {list(output.shape)} for {size} faces",
                    "its first dimension must be the batch",
                )
        return [output[: size - missing] for output in outputs]


def _full_names(providers: Sequence[str]) -> list[str]:
    known = {_short_name(name): name for name in onnxruntime.get_available_providers()}
    for provider in providers:
        if provider not in known:
            package = _WHEELS.get(provider)
            install = f"install {package} in the place of onnxruntime, or " if package else ""
            raise FacemonError(
                f"the installed onnxruntime has no execution provider {provider}; it has {', '.join(sorted(known))}",
                f"{install}take it out of predict.providers",
            )
    # What a provider cannot run falls to the processor.
    return [known[provider] for provider in dict.fromkeys((*providers, _CPU))]


def _short_name(provider: str) -> str:
    return provider.removesuffix(_SUFFIX).lower()


def _not_loaded(name: str, error: Exception) -> FacemonError:
    text = str(error)
    if "External data path" in text or "external data" in text:
        reason = "does not exist" if "does not exist" in text else "lies outside the model's folder"
        return FacemonError(
            f"{name}: a file with its weights {reason}: {_plain(error)}",
            "keep the files that the model was exported with in one folder, beside each other",
        )
    return FacemonError(f"{name}: is not an ONNX model that can be run: {_plain(error)}")


def _tensors(nodes: Sequence[onnxruntime.NodeArg]) -> tuple[Tensor, ...]:
    return tuple(Tensor(node.name, _element(node.type), tuple(node.shape)) for node in nodes)


def _element(kind: str) -> str:
    """What a tensor holds; of anything else, such as seq(map(int64,tensor(float))), the whole type."""
    return kind.removeprefix("tensor(").removesuffix(")") if kind.startswith("tensor(") else kind


def _plain(error: Exception) -> str:
    # The sentence follows a prefix such as "[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : ".
    return " ".join(str(error).split(" : ")[-1].split())
