"""What a finder says of itself must be true together: whatever is accepted can be configured."""

from collections.abc import Mapping
from itertools import product
from math import inf, nan
from typing import Any

import pytest

from facemon.config.faces import AlignConfig, CutConfig, FacesConfig
from facemon.finders.finder import Finder, Landmarks
from facemon.finders.registry import FINDERS
from facemon.finders.yunet import YuNet
from tests.finders.test_finders import DETECTOR
from tests.finders.whole_finder import Whole

THERE_ARE = [*(type(finder) for finder in FINDERS.values()), Whole]
FILES: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    ((), ()), (("weights",), ()), ((), ("weights",)), (("weights", "detector"), ()), (("weights",), ("detector",)),
    ((), ("weights", "detector")),
]  # fmt: skip
GIVEN: Mapping[str, Any] = {"weights": "w.onnx", "detector": DETECTOR}


def declared(finder: type[Finder], **declarations: Any) -> type[Finder]:
    return type("Another", (finder,), declarations)


@pytest.mark.parametrize("finder", THERE_ARE)
def test_what_finders_say_can_be_said_again(finder: type[Finder]) -> None:
    said = {name: getattr(finder, name) for name in Finder.__annotations__}
    assert issubclass(declared(finder, **said), finder)


@pytest.mark.parametrize("finder", THERE_ARE)
@pytest.mark.parametrize(
    ("declarations", "message"),
    [
        ({"takes_boxes": True, "has_boxes": False}, "so has_boxes must be true"),
        ({"takes_boxes": True, "finds_several": True}, "an input one box, so finds_several must be false"),
        ({"has_boxes": False, "finds_several": True}, "the image is the face, so finds_several must be false"),
        ({"has_boxes": False, "has_chips": True}, "the image is the face, so has_chips must be false"),
        ({"has_boxes": False, "landmarks": Landmarks.ALWAYS}, "the image is the face, so landmarks must be never"),
        ({"landmarks": Landmarks.DESCRIBED, "needs": ("weights",)}, "which neither needs nor takes names"),
        ({"highest_confidence": 0.0}, "the lowest score is 0"),
        ({"highest_confidence": nan}, "the lowest score is 0"),
        ({"needs": ("weights",), "takes": ("weights",)}, "at most once"),
        ({"needs": ("weights",), "takes": ("anchors",)}, "and no other key"),
        ({"needs": ("detector",)}, "weights must be given wherever a detector is"),
        ({"needs": ("detector",), "takes": ("weights",)}, "weights must be given wherever a detector is"),
        ({"runs": YuNet.runs, "network": ""}, "network must say what that is called"),
        ({"runs": YuNet.runs, "needs": ()}, "names the network that runs recognises as weights"),
    ],
)
def test_what_contradicts_itself_is_refused(finder: type[Finder], declarations: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message) as caught:
        declared(finder, **declarations)
    assert "the finder Another contradicts itself: " in str(caught.value)


def test_whatever_is_accepted_can_be_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    accepted = 0
    switches = ("searches", "takes_boxes", "has_boxes", "finds_several", "has_chips")
    for said, landmarks, (needs, takes), highest in product(
        product([True, False], repeat=len(switches)), Landmarks, FILES, (None, 1.0, inf)
    ):
        declarations = dict(zip(switches, said, strict=True)) | {
            "name": "another", "landmarks": landmarks, "needs": needs, "takes": takes, "highest_confidence": highest,
        }  # fmt: skip
        try:
            finder = declared(Whole, **declarations)
        except TypeError:
            continue
        accepted += 1
        monkeypatch.setitem(FINDERS, "another", finder())
        assert_can_be_configured(finder)
    assert accepted > 100


def assert_can_be_configured(finder: type[Finder]) -> None:
    """Each thing that the finder declares has a configuration that uses it."""
    described = {"finder": finder.name} | {key: GIVEN[key] for key in (*finder.needs, *finder.takes)}
    faces = FacesConfig.model_validate(described)
    assert (faces.cut_for(CutConfig()) == CutConfig()) == (finder.has_chips or not finder.has_boxes)
    if finder.takes_boxes or finder.has_chips or finder.finds_several:
        FacesConfig.model_validate(described | {"margin": 0.5, "min_size": 2})
    if finder.finds_several:
        FacesConfig.model_validate(described | {"keep": "largest"})
    if finder.highest_confidence is not None:
        FacesConfig.model_validate(described | {"min_confidence": 0.5})
    if finder.landmarks is not Landmarks.NEVER:
        aligned = FacesConfig.model_validate(described | {"align": "arcface-112"})
        assert aligned.cut_for(CutConfig()) == CutConfig(align=AlignConfig(template="arcface-112"))
