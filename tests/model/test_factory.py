"""What opens a model survives pickling, whatever kind of bundle it is, and opens the same one in another process."""

import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from PIL import Image

from facemon.config.builtin_bundles import builtin_bundle
from facemon.config.document import Config
from facemon.config.loader import load_config
from facemon.config.model import ModelConfig
from facemon.config.serving import PredictConfig
from facemon.domain.image_input import ImageInput
from facemon.engines.engine import Work
from facemon.model.factory import ModelFactory
from tests.engines.spawned_engine import Spawned
from tests.model.detector_files import corner_shares, write_detector
from tests.model.onnx_files import model_of, write_identity_model, write_weighted_model
from tests.model.yunet_files import write_yunet

HAIR = {"name": "hair", "output": "hair", "kind": "categorical", "labels": ["a", "b"], "activation": "softmax"}
PIXEL = {"name": "pixel", "output": "seen", "kind": "number", "index": 0}
SIZE = (160, 120)
DETECTOR = {
    "input": {"name": "input", "size": list(SIZE), "scale": 1, "mean": [127] * 3, "std": [128] * 3},
    "scores": {"outputs": ["scores"], "index": 1},
    "boxes": {"outputs": ["boxes"], "unit": "share"},
}


def built_in(_: Path) -> ModelConfig:
    return builtin_bundle("age-gender")


def external_weights(folder: Path) -> ModelConfig:
    (folder / "weights.bin").write_bytes(np.arange(96, dtype=np.float32).tobytes())
    return model_of(write_weighted_model(folder / "m.onnx", "weights.bin"), [HAIR])


def with_finder(folder: Path, **faces: Any) -> ModelConfig:
    described = model_of(write_identity_model(folder / "m.onnx"), [PIXEL]).model_dump() | {"faces": faces}
    return ModelConfig.model_validate(described)


def yunet(folder: Path) -> ModelConfig:
    return with_finder(folder, finder="yunet", weights=write_yunet(folder / "yunet.onnx"))


def onnx_finder(folder: Path) -> ModelConfig:
    weights = write_detector(folder / "d.onnx", SIZE, {"boxes": corner_shares(SIZE)})
    return with_finder(folder, finder="onnx", weights=weights, detector=DETECTOR)


def manifest(folder: Path) -> ModelConfig:
    return with_finder(folder, finder="manifest", crop={"scale": 1.2}, min_size=2)


def unpickled(content: bytes) -> ModelFactory:
    factory: ModelFactory = pickle.loads(content)  # noqa: S301 - the test's own
    return factory


def rows(batch: pa.RecordBatch) -> bytes:
    """All rows as a Parquet file, without the time of prediction; in Arrow's own bytes, null cells hold anything."""
    sink = pa.BufferOutputStream()
    pyarrow.parquet.write_table(pa.Table.from_batches([batch]).drop_columns(["predicted_at"]), sink)
    return bytes(sink.getvalue())


@pytest.mark.parametrize("bundle", [built_in, external_weights, yunet, onnx_finder, manifest])
def test_a_pickled_factory_opens_the_same_model_in_another_process(
    tmp_path: Path, bundle: Callable[[Path], ModelConfig], astronaut: Path
) -> None:
    factory = ModelFactory(bundle(tmp_path), PredictConfig(max_pixels=10_000_000, decode="exact"))
    assert unpickled(pickle.dumps(factory)) == factory
    white = tmp_path / "white.png"
    image = Image.new("RGB", (320, 240), (90, 90, 90))
    image.paste((255, 255, 255), (80, 96, 96, 112))
    image.save(white)
    paths, taken = (white, astronaut, tmp_path), datetime(2026, 11, 23, tzinfo=UTC)
    given = [
        ImageInput(ordinal, path.name, path, observed_at=taken, box=(70, 80, 110, 130))
        for ordinal, path in enumerate(paths)
    ]
    here = factory()
    expected = here.predict(given, "r").rows
    assert expected["error"][0].as_py() is None or bundle is built_in
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with Spawned(elsewhere).opened(factory) as model, model.spread(Work(1, lambda _: True)) as workers:
        assert (model.id, model.fingerprint, model.notes) == (here.id, here.fingerprint, here.notes)
        assert rows(workers.predict(given, "r").rows) == rows(expected)


def test_paths_of_a_pickled_factory_are_those_of_the_folder_where_it_was_pickled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    factory = ModelFactory(yunet(Path()), PredictConfig())
    fingerprint = factory().fingerprint
    pickled = pickle.dumps(factory)
    monkeypatch.chdir(tmp_path / "there")
    assert unpickled(pickled)().fingerprint == fingerprint


def test_a_factory_is_that_of_its_configuration(tmp_path: Path) -> None:
    model = external_weights(tmp_path)
    network = (tmp_path / "m.onnx").name
    text = (
        "version: 1\npredict: {decode: exact, threads: 3}\nmodel:\n  name: small\n  version: '1'\n  networks:\n"
        f"    - path: {network}\n      input: {{name: input, size: [4, 4]}}\n      attributes:\n"
        "        - {name: hair, output: hair, kind: categorical, labels: [a, b], activation: softmax}\n"
    )
    (tmp_path / "facemon.yaml").write_text(text)
    config: Config = load_config(tmp_path / "facemon.yaml")
    factory = ModelFactory.of(config)
    assert factory == ModelFactory(model, config.predict)
    assert unpickled(pickle.dumps(factory)) == factory
    assert factory.bundle().fingerprint == factory().fingerprint
