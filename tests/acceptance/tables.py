"""Tables for acceptance tests, such as people bring who predict with something else."""

import csv
from pathlib import Path

import numpy as np

CONFIGURATION = """\
version: 1
model:
  name: face-attributes
  version: "2026-11"
  networks:
    - path: models/attributes.onnx
      input: {name: input, size: [64, 64], layout: nchw, channels: bgr, fit: stretch, resample: bilinear}
      attributes:
        - {name: beard, output: beard, kind: binary, labels: ["no", "yes"], activation: sigmoid}
tables:
  image: filename
  columns: {beard: beard_binary}
  values: {beard: {0: "no", 1: "yes"}}
"""


def write_table(path: Path, *, seed: int, rows: int = 600, beards: float = 0.3, brightness: float = 0.5) -> Path:
    """A CSV with a name, a beard as 0 or 1 and a brightness for each image."""
    random = np.random.default_rng(seed)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["filename", "beard_binary", "brightness"])
        for index in range(rows):
            writer.writerow([f"{index}.jpg", int(random.random() < beards), round(random.normal(brightness, 0.1), 4)])
    return path
