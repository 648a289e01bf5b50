"""How faces are found and cut out: the section `model.faces`, and what a network may ask for instead."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from facemon.config.quantities import FilePath
from facemon.config.section import MisfitError, Section

NOTHING_TO_CROP = "the finder none takes the whole image for the face; choose another finder"


def _as_list(margin: Any) -> Any:
    if isinstance(margin, list | tuple):
        return margin
    if isinstance(margin, bool | str) or not isinstance(margin, int | float):
        raise ValueError("must be a number such as 0.2, or a list of numbers")  # noqa: TRY004 - pydantic wants this one
    return [margin]


_Share = Annotated[float, Field(gt=-0.5, le=4)]


class CropConfig(Section):
    """How a face is cut out of its image."""

    shape: Literal["square", "rectangle"] = "square"
    """`square`: of the box's longer side; `rectangle`: of the box's own proportions."""
    margin: Annotated[tuple[_Share, ...], Field(strict=False), BeforeValidator(_as_list)] | None = None
    """What is added to the box, as shares of its width and height: one number for each side of it, or two for left
    and right, above and below, or four for left, above, right, below; none = `margin` of the section faces."""
    scale: Annotated[float, Field(gt=0, le=9)] | None = None
    """In the place of `margin`: the crop's width and height as a multiple of the box's."""
    outside: Literal["black", "edge", "clamp", "shift"] = "black"
    """What is taken for pixels outside the image: black; the pixels at its edge; none, so that the crop is smaller
    (`clamp`); or none, because the crop is moved into the image and shrunk if it does not fit (`shift`)."""
    edges: Literal["round", "floor", "inclusive"] = "round"
    """How the crop's edges become whole pixels: rounded; rounded down; or rounded down, and the pixel at the right
    and the lower edge still belongs to the crop, as in `image[y1:y2 + 1, x1:x2 + 1]`."""

    @field_validator("margin")
    @classmethod
    def _margin_has_one_two_or_four(cls, margin: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if margin is not None and len(margin) not in (1, 2, 4):
            raise ValueError(f"has {len(margin)} numbers; write 1, 2 or 4: [left, above, right, below]")
        return margin

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if self.margin is not None and self.scale is not None:
            raise MisfitError((("scale",), "margin and scale exclude each other"))
        return self

    @property
    def margins(self) -> tuple[float, float, float, float]:
        """The margins on the left, above, on the right and below."""
        numbers = self.margin or (0.0,)
        left, above = numbers[0], numbers[1 % len(numbers)]
        return (left, above, *numbers[2:]) if len(numbers) == 4 else (left, above, left, above)


class FacesConfig(Section):
    """How faces are found; with the finder `none` each image is one face."""

    finder: Literal["none", "dlib", "yunet", "manifest"] = "none"
    """`manifest`: the boxes stand in the manifest that predict is given."""
    weights: FilePath | None = None
    """The network of the finder yunet, an ONNX file."""
    min_confidence: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """The finder's own score from which on something is a face; none = the finder's default."""
    margin: Annotated[float, Field(ge=0, le=2)] = 0.2
    """Border around a face, as a share of its aligned chip (dlib) or of its box (other finders)."""
    crop: CropConfig | None = None
    """How faces are cut out for every network without a crop of its own; none = dlib's aligned chips with dlib, else
    a square with `margin`."""
    min_size: Annotated[int, Field(ge=1)] = 1
    """A face with a shorter side of its box is passed over, in pixels of the image."""
    keep: Literal["all", "largest"] = "all"

    @model_validator(mode="after")
    def _keys_fit_the_finder(self) -> Self:
        if (self.finder == "yunet") != (self.weights is not None):
            verb = "needs" if self.finder == "yunet" else "has no use for"
            raise MisfitError((("weights",), f"the finder {self.finder} {verb} weights"))
        if self.finder == "none" and self.crop is not None:
            raise MisfitError((("crop",), NOTHING_TO_CROP))
        if self.finder in ("none", "manifest") and self.min_confidence is not None:
            raise MisfitError((("min_confidence",), f"the finder {self.finder} has no confidence"))
        if self.finder == "yunet" and self.min_confidence is not None and self.min_confidence > 1:
            raise MisfitError((("min_confidence",), "the confidence of yunet is at most 1"))
        return self

    def crop_for(self, own: CropConfig | None) -> CropConfig | None:
        """The crop for a network whose own description is `own`, with its margin; none = the finder's aligned chips."""
        crop = own or self.crop or (None if self.finder in ("none", "dlib") else CropConfig())
        if crop is None or crop.margin is not None or crop.scale is not None:
            return crop
        return crop.model_copy(update={"margin": (self.margin,)})
