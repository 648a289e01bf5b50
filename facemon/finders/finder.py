"""What each finder of faces says of itself."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from facemon.config.faces import FacesConfig
    from facemon.model.faces import FaceFinder

_FILES = ("weights", "detector")
_BOX_KEYS = ("crop", "align", "margin", "min_size", "keep")
"""The keys of `faces` that say which boxes count, and what is seen around them."""


class Landmarks(StrEnum):
    """Whether a finder gives the five landmarks of a face."""

    NEVER = "never"
    ALWAYS = "always"
    DESCRIBED = "described"
    """Where `faces.detector` describes them."""


class Finder(ABC):
    """One finder of faces.

    The modules that read, cut, check and serve decide by what it says here, never by its name. The defaults are those
    of a finder that searches images for boxes without confidences: a key that would have no effect is refused.

    Configurations are checked against it, so it must load no heavy library and no room above this one when it is
    imported. `load` and what it calls import what they need inside their functions.
    """

    name: ClassVar[str]
    """What `faces.finder` says in the configuration."""
    needs: ClassVar[tuple[str, ...]] = ()
    """Of the keys weights and detector those that must be given."""
    takes: ClassVar[tuple[str, ...]] = ()
    """Those that may be given besides; any other one is refused."""
    searches: ClassVar[bool] = True
    """Whether it looks at the whole image, which is then never decoded at a smaller scale."""
    takes_boxes: ClassVar[bool] = False
    """Whether faces are where the input says: a manifest has a row, and predict an input, for each face.

    Requests to the API and images without a manifest bring no boxes, so they are refused.
    """
    has_boxes: ClassVar[bool] = True
    """Whether faces have boxes, around which they are cut out; without, each image is one face."""
    finds_several: ClassVar[bool] = True
    """Whether it may find more than one face in an input, of which `keep` chooses."""
    has_chips: ClassVar[bool] = False
    """Whether it makes an aligned image of a face itself, which networks see where no crop is asked for."""
    highest_confidence: ClassVar[float | None] = None
    """The highest score of a face, infinity where scores have no limit; none = it has no scores.

    The lowest score is 0, and `faces.min_confidence` lies between both.
    """
    landmarks: ClassVar[Landmarks] = Landmarks.NEVER
    """Whether it gives the landmarks that `align` needs."""
    network: ClassVar[str] = ""
    """What the network is called that it runs, where it runs only one."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        """TypeError for a finder whose declarations exclude each other, when its class is made."""
        super().__init_subclass__(**keywords)
        if faults := "; ".join(_contradictions(cls)):
            raise TypeError(f"the finder {cls.__name__} contradicts itself: {faults}")

    @property
    def without_effect(self) -> Mapping[str, str]:
        """Return the reason by each key of the section `faces` that changes nothing with this finder.

        A configuration that gives such a key another value than its default is refused.
        """
        does = f"the finder {self.name}"
        reasons = {key: f"{does} has no use for {key}" for key in _FILES if key not in (*self.needs, *self.takes)}
        if self.highest_confidence is None:
            reasons["min_confidence"] = f"{does} has no confidence"
        if self.landmarks is Landmarks.NEVER:
            reasons["align"] = f"{does} does not give the eyes, nose and mouth that align needs"
        if not self.finds_several:
            reasons["keep"] = f"{does} finds at most one face in an input"
        if not self.has_boxes:
            reasons |= dict.fromkeys(_BOX_KEYS, f"{does} takes the whole image for the face")
        return reasons

    def runs(self, outputs: Collection[str]) -> bool:
        """Return whether a network whose outputs have these names is its own; `facemon init` then names the finder."""
        return False

    @abstractmethod
    def load(self, config: "FacesConfig", *, fast: bool) -> "FaceFinder":
        """Return what finds faces, `fast` where it may pass over small ones.

        FacemonError when what it needs is not installed, and for weights that cannot be read or run.
        """


def _contradictions(finder: type[Finder]) -> Iterator[str]:
    """What a finder declares that cannot be true together, or that no configuration could use."""
    yield from _contradictions_of_files(finder)
    if finder.takes_boxes and not finder.has_boxes:
        yield "takes_boxes gives faces their boxes, so has_boxes must be true"
    if finder.takes_boxes and finder.finds_several:
        yield "takes_boxes gives an input one box, so finds_several must be false"
    if not finder.has_boxes:
        of_boxes = {
            "finds_several must be false": finder.finds_several,
            "has_chips must be false": finder.has_chips,
            "landmarks must be never": finder.landmarks is not Landmarks.NEVER,
        }
        for rule in (rule for rule, is_broken in of_boxes.items() if is_broken):
            yield f"without has_boxes the image is the face, so {rule}"
    if finder.highest_confidence is not None and not finder.highest_confidence > 0:
        yield "the lowest score is 0, so highest_confidence must be more, or none"


def _contradictions_of_files(finder: type[Finder]) -> Iterator[str]:
    """The same of what the configuration gives the finder: weights and detector."""
    needs, given = finder.needs, (*finder.needs, *finder.takes)
    if set(given) - set(_FILES) or len(set(given)) < len(given):
        yield f"needs and takes name each of {' and '.join(_FILES)} at most once, and no other key"
    if ("detector" in given and "weights" not in given) or ("detector" in needs and "weights" not in needs):
        yield "a detector describes the network of weights, so weights must be given wherever a detector is"
    if finder.landmarks is Landmarks.DESCRIBED and "detector" not in given:
        yield "landmarks are described in detector, which neither needs nor takes names"
    if finder.runs is not Finder.runs and not finder.network:
        yield "runs recognises a network, so network must say what that is called"
    if finder.runs is not Finder.runs and ("weights" not in given or "detector" in needs):
        yield "facemon init names the network that runs recognises as weights, without a detector"
