"""The model and the batch that the tests of a run's outputs share."""

import pytest

from facemon.config.model import ModelConfig
from facemon.domain.image_input import ImageInput
from facemon.domain.prediction import PredictedBatch
from tests.model.onnx_files import flat_image
from tests.predict.predicted import small_model, small_predictor


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelConfig:
    return small_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def batch(tmp_path_factory: pytest.TempPathFactory) -> PredictedBatch:
    """A red image, a file that is missing and a blue image."""
    folder = tmp_path_factory.mktemp("images")
    red, blue = flat_image(folder / "red.png", (255, 0, 0)), flat_image(folder / "blue.png", (0, 0, 255))
    images = [
        ImageInput(0, 'a "red" one, é.png', red, source="gate"),
        ImageInput(1, "missing.png", folder / "missing.png"),
        ImageInput(2, "blue.png", blue),
    ]
    return small_predictor(folder).predict(images, "run-1")
