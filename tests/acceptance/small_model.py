"""A model so small that a run's time is that of all the rest."""

from pathlib import Path

from tests.model.onnx_files import write_reducing_model


def small_config(attribute: str) -> str:
    """A facemon.yaml of the network m.onnx, which has one attribute."""
    return f"""\
version: 1
model:
  name: small
  version: "1"
  networks:
    - path: m.onnx
      input: {{name: input, size: [4, 4]}}
      attributes: [{{{attribute}}}]
"""


CONFIG = small_config("name: hair, output: hair, kind: categorical, labels: [a, b], activation: softmax")


def write_small_model(folder: Path, rest: str = "") -> None:
    """The model with its facemon.yaml, to which the rest is added."""
    write_reducing_model(folder / "m.onnx", {"hair": [[9, 0], [0, 9], [0, 0]]})
    (folder / "facemon.yaml").write_text(CONFIG + rest)
