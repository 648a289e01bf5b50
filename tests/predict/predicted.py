"""A real model and real batches for the tests of a run, made without a face finder so that they are quick."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from facemon.config.model import ModelConfig
from facemon.config.serving import PredictConfig
from facemon.model.predictor import Predictor
from tests.model.onnx_files import model_of, write_reducing_model

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def small_model(folder: Path) -> ModelConfig:
    """A model that reads glasses and age from an image's mean colour."""
    outputs = {"glasses": [[8.0], [0.0], [-8.0]], "ages": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]}
    attributes: list[dict[str, Any]] = [
        {"name": "glasses", "output": "glasses", "kind": "binary", "labels": ["no", "yes"], "activation": "sigmoid"},
        {
            "name": "age",
            "output": "ages",
            "kind": "ordinal",
            "values": [5, 25, 70],
            "bands": {"child": [0, 18], "adult": [18, 65], "old": [65, 99]},
            "activation": "softmax",
        },
        {"name": "score", "output": "glasses", "kind": "number"},
    ]
    return model_of(write_reducing_model(folder / "small.onnx", outputs), attributes)


def small_predictor(folder: Path) -> Predictor:
    """A predictor for `small_model` whose clock stands at `NOW`."""
    return Predictor(small_model(folder), PredictConfig(), clock=lambda: NOW)
