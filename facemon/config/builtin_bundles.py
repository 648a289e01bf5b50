"""The bundles that come with facemon: their names, and each as a validated model."""

from functools import cache
from importlib.resources import files

from facemon.config.model import ModelConfig
from facemon.config.yaml_source import read_yaml

DEFAULT_BUNDLE = "age-gender"
_SUFFIX = ".yaml"


def bundle_names() -> tuple[str, ...]:
    """The names that `model.bundle` may take, sorted."""
    folder = files("facemon.config").joinpath("bundles")
    names = (entry.name for entry in folder.iterdir() if entry.name.endswith(_SUFFIX))
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names))


def bundle_text(name: str) -> str:
    """The YAML of a built-in bundle, comments included; KeyError if there is none of that name."""
    if name not in bundle_names():
        raise KeyError(name)
    return files("facemon.config").joinpath("bundles", name + _SUFFIX).read_text("utf-8")


@cache
def builtin_bundle(name: str) -> ModelConfig:
    """A built-in bundle; KeyError if there is none of that name. A fault in its file is facemon's own."""
    return ModelConfig.model_validate(read_yaml(bundle_text(name)).value)
