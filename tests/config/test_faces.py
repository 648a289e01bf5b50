"""Which keys of the section faces change what the networks see, beside the networks' own crops and templates."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
from pydantic import ValidationError

from facemon.config.faces import AlignConfig, CropConfig, CutConfig, FacesConfig
from facemon.config.model import ModelConfig, NetworkConfig
from tests.config.config_files import faults_of

pytestmark = pytest.mark.usefixtures("empty_folder")

CUTS: list[dict[str, Any]] = [
    {}, {"crop": {}}, {"crop": {"outside": "edge"}}, {"crop": {"margin": 0.3}}, {"crop": {"scale": 2}},
    {"align": "arcface-112"},
]  # fmt: skip
MARGINS: list[dict[str, Any]] = [{}, {"margin": 0.5}]
OTHERS: Mapping[str, Any] = {
    "crop": CropConfig(scale=9),
    "align": AlignConfig(template="ffhq-512"),
    "margin": 1.7,
}
"""Values that appear nowhere else."""


def network(cut: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "path": "n.onnx",
        "input": {"name": "input", "size": [112, 112]},
        "attributes": [{"name": "pose", "output": "o", "kind": "number", "average": True}],
        **cut,
    }


def seen(faces: FacesConfig, networks: list[NetworkConfig]) -> list[Any]:
    """How each network's faces are cut out; the margin decides too where neither crop nor align does."""
    cuts = [faces.cut_for(each) for each in networks]
    return [(cut, faces.margin) if cut == CutConfig() else cut for cut in cuts]


@pytest.mark.parametrize("finder", [{"finder": "yunet", "weights": "y.onnx"}, {"finder": "dlib"}])
def test_a_key_that_no_network_follows_is_refused(finder: dict[str, Any]) -> None:
    cuts = [cut for cut in CUTS if "align" not in cut or "weights" in finder]
    for cut, margin, *own in product(cuts, MARGINS, cuts, cuts):
        described = {"name": "m", "version": "1", "faces": finder | cut | margin, "networks": [*map(network, own)]}
        faces = FacesConfig.model_validate(described["faces"])
        networks = [NetworkConfig.model_validate(each) for each in map(network, own)]
        unseen = {
            key
            for key in (cut | margin)
            if seen(faces.model_copy(update={key: OTHERS[key]}), networks) == seen(faces, networks)
        }
        assert refused(described) == unseen, described


def refused(described: Mapping[str, Any]) -> set[str]:
    """The keys of the section faces that are called wrong."""
    try:
        ModelConfig.model_validate(described)
    except ValidationError as error:
        (misfit,) = (detail["ctx"]["error"] for detail in error.errors())
        assert all(keys[0] == "faces" for keys, _ in misfit.faults)
        return {keys[1] for keys, _ in misfit.faults}
    return set()


def test_what_no_network_follows_is_told_at_its_place() -> None:
    assert faults_of("""\
        model:
          name: m
          version: "2"
          faces:
            finder: dlib
            crop: {outside: edge}
            margin: 0.5
          networks:
            - path: m.onnx
              crop: {scale: 2}
              input: {name: in, size: [64, 64]}
              attributes: [{name: n, output: o, kind: number}]
        """) == [
        "6:11: model.faces.crop: each network has a crop or align of its own, so this changes nothing; remove crop",
        (
            "7:13: model.faces.margin: each network has align or a crop with a margin or scale, so this changes "
            "nothing; remove margin"
        ),
    ]
