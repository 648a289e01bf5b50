"""The descriptions in docs/models.md are ones that facemon reads."""

from pathlib import Path

import pytest
import yaml

from facemon.config.detector import DetectorConfig
from facemon.config.faces import TEMPLATES, CutConfig
from facemon.config.model import ModelConfig
from facemon.config.network_input import InputConfig
from facemon.config.section import Section
from facemon.config.yaml_source import read_yaml

PAGE = (Path(__file__).parents[1] / "docs" / "models.md").read_text("utf-8")
BLOCKS = [part.split("```")[0] for part in PAGE.split("```yaml\n")[1:]]
SECTIONS: dict[str, type[Section]] = {
    "model": ModelConfig,
    "detector": DetectorConfig,
    "crop": CutConfig,
    "align": CutConfig,
}


@pytest.mark.parametrize("block", BLOCKS)
def test_each_description_is_read(block: str) -> None:
    document = read_yaml(block).value
    (key,) = document
    section = SECTIONS[key]
    section.model_validate(document if section is CutConfig else document[key])
    assert document == yaml.safe_load(block)


def test_every_choice_is_on_the_page() -> None:
    for schema, names in (
        (CutConfig.model_json_schema()["$defs"]["CropConfig"]["properties"], ("outside", "edges", "shape")),
        (InputConfig.model_json_schema()["properties"], ("resample", "fit")),
    ):
        for choice in (choice for name in names for choice in schema[name]["enum"]):
            assert choice in PAGE
    assert all(name in PAGE for name in TEMPLATES)
