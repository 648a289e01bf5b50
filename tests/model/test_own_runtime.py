"""A runtime beside onnxruntime is a file and its name where graphs are opened; all else goes by what a graph is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from facemon.config.model import ModelConfig
from facemon.config.serving import PredictConfig
from facemon.domain.image_input import ImageInput
from facemon.errors import FacemonError
from facemon.model import graph_files
from facemon.model.factory import ModelFactory
from facemon.model.graph import NotLoadedError, Numbers, RunFailedError, Tensor
from tests.model.detector_files import corner_shares, write_detector
from tests.model.onnx_files import flat_image
from tests.model.test_factory import DETECTOR, SIZE
from tests.predict.predicted import small_model


class ReferenceSession:
    """A graph that the package onnx runs in plain numpy, as a contributor would add it."""

    def __init__(self, content: bytes, name: str, _: Sequence[str], __: Path | None) -> None:
        try:
            self._model = onnx.load_from_string(content)
        except Exception as error:
            raise NotLoadedError(f"{name}: is not an ONNX model that can be run: {error}") from error
        self._evaluator = ReferenceEvaluator(self._model)

    def inputs(self) -> tuple[Tensor, ...]:
        return tuple(map(_tensor, self._model.graph.input))

    def outputs(self) -> tuple[Tensor, ...]:
        return tuple(map(_tensor, self._model.graph.output))

    def metadata(self) -> Mapping[str, str]:
        return {each.key: each.value for each in self._model.metadata_props}

    def run(self, input_name: str, batch: Numbers, output_names: Sequence[str] | None) -> list[Any]:
        try:
            return list(self._evaluator.run(output_names and list(output_names), {input_name: batch}))
        except Exception as error:
            raise RunFailedError(str(error)) from error


def _tensor(value: onnx.ValueInfoProto) -> Tensor:
    kind = value.type.tensor_type
    shape = tuple(each.dim_value or each.dim_param or None for each in kind.shape.dim)
    return Tensor(value.name, {1: "float", 11: "double"}[kind.elem_type], shape)


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the graphs that the runtime of the tests has loaded."""
    loaded = []

    class Noted(ReferenceSession):
        def __init__(self, content: bytes, name: str, providers: Sequence[str], folder: Path | None) -> None:
            super().__init__(content, name, providers, folder)
            loaded.append(name)

    monkeypatch.setattr(graph_files, "RUNTIME", Noted)
    return loaded


def test_networks_and_finders_run_by_another_runtime(tmp_path: Path, runtime: list[str]) -> None:
    detector = write_detector(tmp_path / "d.onnx", SIZE, {"boxes": corner_shares(SIZE)})
    described = small_model(tmp_path).model_dump()
    described["faces"] = {"finder": "onnx", "weights": detector, "detector": DETECTOR}
    predictor = ModelFactory(ModelConfig.model_validate(described), PredictConfig())()
    assert runtime == [str(tmp_path / "small.onnx"), str(detector)]
    white = ImageInput(0, "a", flat_image(tmp_path / "white.png", (255, 255, 255), SIZE))
    rows = predictor.predict([white], "r").rows.to_pylist()
    assert rows
    assert {row["glasses"] for row in rows} == {"yes"}


def test_it_says_what_it_cannot_load_and_run(tmp_path: Path, runtime: list[str]) -> None:
    model = small_model(tmp_path)
    graph = graph_files.GraphFile.read(model.networks[0].path, "", "").opened()
    with pytest.raises(FacemonError, match=r"small\.onnx: the model failed on its input: "):
        graph.run("input", np.zeros((1, 3), np.float32), ("glasses",))
    with pytest.raises(FacemonError, match="damaged: is not an ONNX model that can be run"):
        graph_files.GraphFile(b"\x08\x07damaged", "damaged").opened()
