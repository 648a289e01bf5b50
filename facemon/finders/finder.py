"""What each finder of faces says of itself."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from facemon.config.faces import FacesConfig
    from facemon.model.faces import FaceFinder


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

    def runs(self, outputs: Collection[str]) -> bool:
        """Return whether a network whose outputs have these names is its own; `facemon init` then names the finder."""
        return False

    @abstractmethod
    def load(self, config: "FacesConfig", *, fast: bool) -> "FaceFinder":
        """Return what finds faces, `fast` where it may pass over small ones.

        FacemonError when what it needs is not installed, and for weights that cannot be read or run.
        """
