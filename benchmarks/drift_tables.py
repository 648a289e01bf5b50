"""Tables of made-up predictions as Parquet, and the configuration that names their attributes."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray
from pyarrow import parquet

_CONFIG = """\
version: 1
model:
  name: bench
  version: "1"
  networks:
    - path: never-read.onnx
      input: {{name: input, size: [112, 112]}}
      attributes:
{attributes}
"""


def write_config(folder: Path, attributes: Mapping[str, tuple[str, ...]]) -> None:
    """Write a facemon.yaml for attributes with these labels; no command that is measured reads the network."""
    lines = [
        f"        - {{name: {name}, output: {name}, kind: categorical, labels: {json.dumps(labels)}}}"
        for name, labels in attributes.items()
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "facemon.yaml").write_text(_CONFIG.format(attributes="\n".join(lines)))


def yes_no(marked: NDArray[np.bool_]) -> pa.StringArray:
    """A column of labels."""
    return pa.DictionaryArray.from_arrays(pa.array(marked, pa.int8()), ["no", "yes"]).cast(pa.string())


def write_table(path: Path, columns: Mapping[str, ArrayLike | pa.Array]) -> None:
    """Write the columns as Parquet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table(dict(columns)), path)
