"""The bundles that come with facemon: their names, and each as a validated model."""

from functools import cache
from pathlib import Path

from facemon.config.model import ModelConfig
from facemon.config.yaml_source import read_yaml

DEFAULT_BUNDLE = "age-gender"
_SUFFIX = ".yaml"
# A path of its own: importlib.resources takes longer to import than a bundle to read.
_FOLDER = Path(__file__).parent / "bundles"


def bundle_names() -> tuple[str, ...]:
    """The names that `model.bundle` may take, sorted."""
    return tuple(sorted(file.stem for file in _FOLDER.glob(f"*{_SUFFIX}")))


def bundle_text(name: str) -> str:
    """The YAML of a built-in bundle, comments included; KeyError if there is none of that name."""
    if name not in bundle_names():
        raise KeyError(name)
    return (_FOLDER / f"{name}{_SUFFIX}").read_text("utf-8")


@cache
def builtin_bundle(name: str) -> ModelConfig:
    """A built-in bundle; KeyError if there is none of that name. A fault in its file is facemon's own."""
    return ModelConfig.model_validate(read_yaml(bundle_text(name)).value)
