"""The configurations in `configs/` load, and the explained one says what the defaults are."""

from datetime import timedelta
from pathlib import Path

from facemon.config.document import Config
from facemon.config.loader import load_config, parse_config

CONFIGS = Path(__file__).parents[2] / "configs"


def test_the_explained_configuration_writes_out_the_defaults() -> None:
    explained, defaults = (
        load_config(CONFIGS / "facemon.yaml"),
        parse_config("", name="facemon.yaml", directory=CONFIGS),
    )
    assert explained == defaults


def test_the_explained_configuration_mentions_every_key() -> None:
    text = (CONFIGS / "facemon.yaml").read_text("utf-8")
    sections = [field.annotation for name, field in Config.model_fields.items() if name not in ("model", "directory")]
    for section in sections:
        for name, field in getattr(section, "model_fields", {}).items():
            assert f"{field.alias or name}:" in text


def test_the_five_attributes_load() -> None:
    config = load_config(CONFIGS / "origin.yaml")
    names = [attribute.name for attribute in config.model.attributes]
    assert names == ["beard", "mustache", "glasses", "hair_color", "hair_length"]
    assert config.tables.values["beard"] == {0: "no", 1: "yes"}
    assert config.alertmanager.routes[0].continue_ is True
    assert config.alertmanager.group_wait == timedelta(seconds=30)
