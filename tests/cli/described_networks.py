"""Networks whose right description is known, photographs for them, and the labels that it gives."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from facemon.config.model import ModelConfig
from facemon.config.serving import PredictConfig
from facemon.domain.image_input import ImageInput
from facemon.model.predictor import Predictor
from tests.model.onnx_files import write_reducing_model

Description = dict[str, Any]
SIDE = 16
BINARY: Description = {"name": "beard", "output": "beard", "kind": "binary", "labels": ["no", "yes"]}


def write_network(folder: Path, bias: float, *, gain: float = 1.0, last: str | None = None) -> None:
    """A network whose only output is the mean of the first channel plus a bias, times a gain."""
    write_reducing_model(folder / "m.onnx", {"beard": [[gain], [0], [0]]}, biases={"beard": [gain * bias]}, last=last)


def take_photographs(folder: Path, count: int, size: tuple[int, int] = (SIDE, SIDE), dark: int = 2) -> list[str]:
    """Pictures of random colours: the middle is of another one, and two of four columns are darker."""
    rng = np.random.default_rng(0)
    names = [f"{index:03}.png" for index in range(count)]
    for name in names:
        width, height = size
        pixels = np.empty((height, width, 3), np.uint8)
        pixels[:] = rng.integers(0, 256, 3)
        pixels[height // 4 : -height // 4, width // 4 : -width // 4] = rng.integers(0, 256, 3)
        pixels[:, (np.arange(width) % 4 == 1) | (np.arange(width) % 4 == 2)] //= dark
        Image.fromarray(pixels).save(folder / name)
    return names


def model_of(described: Mapping[str, Any], attribute: Mapping[str, Any], faces: Mapping[str, Any]) -> Description:
    network = {
        "path": "m.onnx",
        "input": {"name": "input", "size": [4, 4], **described},
        "attributes": [{**BINARY, "activation": "sigmoid", **attribute}],
    }
    return {"name": "small", "version": "1", "networks": [network], "faces": dict(faces)}


def configure(folder: Path, model: Mapping[str, Any]) -> None:
    (folder / "facemon.yaml").write_text(json.dumps({"version": 1, "model": model}))


def write_labels(folder: Path, model: Description, images: list[str], box: tuple[int, int, int, int] | None) -> None:
    """The labels that the model predicts, for a description that is right by definition."""
    inputs = [ImageInput(index, name, folder / name, box=box) for index, name in enumerate(images)]
    rows = Predictor(ModelConfig.model_validate(model), PredictConfig()).predict(inputs, "run").rows.to_pylist()
    (attribute,) = ModelConfig.model_validate(model).attributes
    with (folder / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", attribute.name])
        table.writerows([row["image"], row[attribute.columns[-1] if not attribute.classes else attribute.name]]
                        for row in rows)  # fmt: skip
