"""Graphs that onnxruntime has loaded, each ready to run on one thread; the only file that imports onnxruntime."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_errors

from facemon.errors import FacemonError
from facemon.model.graph import NotLoadedError, Numbers, RunFailedError, Tensor

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


class OnnxSession:
    """A graph that onnxruntime has loaded."""

    def __init__(self, content: bytes, name: str, providers: Sequence[str], folder: Path | None) -> None:
        """Load a graph from a file's bytes; `name` is what errors call it.

        `providers` are execution providers by the names of the configuration, the preferred first; `folder` is where
        weights outside the file may lie. FacemonError when a provider is not there; NotLoadedError when the graph
        cannot be loaded, which includes weights that lie outside `folder`.
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
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=_full_names(providers))
        except _LOAD_ERRORS as error:
            raise _not_loaded(name, error) from error
        # A provider whose libraries are missing is passed over with no more than a warning.
        started = self._session.get_providers()
        for provider in providers:
            if not any(provider == _short_name(full) for full in started):
                raise FacemonError(
                    f"the execution provider {provider} did not start, although onnxruntime has it",
                    "check its driver and libraries, or take it out of predict.providers",
                )

    def inputs(self) -> tuple[Tensor, ...]:
        """See Session."""
        return _tensors(self._session.get_inputs())

    def outputs(self) -> tuple[Tensor, ...]:
        """See Session."""
        return _tensors(self._session.get_outputs())

    def metadata(self) -> Mapping[str, str]:
        """See Session."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    def run(self, input_name: str, batch: Numbers, output_names: Sequence[str] | None) -> list[Any]:
        """See Session."""
        try:
            return list(self._session.run(output_names, {input_name: batch}, self._run_options))
        except _RUN_ERRORS as error:
            raise RunFailedError(_plain(error)) from error


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


def _not_loaded(name: str, error: Exception) -> NotLoadedError:
    text = str(error)
    if "External data path" in text or "external data" in text:
        reason = "does not exist" if "does not exist" in text else "lies outside the model's folder"
        return NotLoadedError(
            f"{name}: a file with its weights {reason}: {_plain(error)}",
            "keep the files that the model was exported with in one folder, beside each other",
        )
    return NotLoadedError(f"{name}: is not an ONNX model that can be run: {_plain(error)}")


def _tensors(nodes: Sequence[onnxruntime.NodeArg]) -> tuple[Tensor, ...]:
    return tuple(Tensor(node.name, _element(node.type), tuple(node.shape)) for node in nodes)


def _element(kind: str) -> str:
    """What a tensor holds; of anything else, such as seq(map(int64,tensor(float))), the whole type."""
    return kind.removeprefix("tensor(").removesuffix(")") if kind.startswith("tensor(") else kind


def _plain(error: Exception) -> str:
    # The sentence follows a prefix such as "[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : ".
    return " ".join(str(error).split(" : ")[-1].split())
