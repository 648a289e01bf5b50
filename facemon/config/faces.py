"""How faces are found and cut out: the section `model.faces`, and what a network may ask for instead."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from facemon.config.detector import DetectorConfig
from facemon.config.quantities import FilePath, Finite
from facemon.config.registered_names import NameIn
from facemon.config.section import MisfitError, Section
from facemon.finders.finder import Finder, Landmarks
from facemon.finders.registry import DEFAULT, FINDERS, finder_of
from facemon.near_names import either

_Side = Annotated[int, Field(ge=1, le=16_384)]


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
    outside: Literal["black", "edge", "reflect", "clamp", "shift"] = "black"
    """What is taken for pixels outside the image: black; the pixels at its edge; the image mirrored there, as by
    OpenCV's BORDER_REFLECT_101; none, so that the crop is smaller (`clamp`); or none, because the crop is moved into
    the image and shrunk if it does not fit (`shift`)."""
    edges: Literal["round", "truncate", "inclusive", "sized", "margins"] = "round"
    """How the crop's edges become whole pixels: rounded; without their fraction, as by Python's int; `inclusive`
    likewise, and the pixel at the right and the lower edge still belongs to the crop, as in
    `image[y1:y2 + 1, x1:x2 + 1]`; `sized`: left, top, width and height are each without
    their fraction; or `margins`: what is added on each side is, as in `pad = int(0.2 * width)`."""

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
    def shrinks_to(self) -> float:
        """The share of the box's shorter side that is left where the crop is smaller than the box, else 1."""
        left, above, right, below = self.margins
        return min(1.0, self.scale or 1.0, 1 + left + right, 1 + above + below)

    @property
    def margins(self) -> tuple[float, float, float, float]:
        """The margins on the left, above, on the right and below."""
        numbers = self.margin or (0.0,)
        left, above = numbers[0], numbers[1 % len(numbers)]
        return (left, above, *numbers[2:]) if len(numbers) == 4 else (left, above, left, above)


_Point = Annotated[tuple[Finite, Finite], Field(strict=False)]
_ARCFACE = ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))
TEMPLATES: Mapping[str, tuple[tuple[int, int], tuple[tuple[float, float], ...]]] = {
    "arcface-112": ((112, 112), _ARCFACE),
    "arcface-128": ((128, 128), tuple((x + 8, y) for x, y in _ARCFACE)),
    "sphereface-96x112": ((96, 112), tuple((x - 8, y) for x, y in _ARCFACE)),
    "ffhq-512": (
        (512, 512),
        ((192.98138, 239.94708), (318.90277, 240.1936), (256.63416, 314.01935), (201.26117, 371.41043),
         (313.08905, 371.15118)),
    ),
}  # fmt: skip
"""By name, a template's width and height and where the five landmarks lie in it: both eyes, the nose, both corners of
the mouth; of each pair the left one in the picture first. The numbers are those of the public networks so named."""


class AlignConfig(Section):
    """Where five landmarks of the face are to lie in what a network sees."""

    template: Literal["arcface-112", "arcface-128", "sphereface-96x112", "ffhq-512"] | None = None
    """The public template by this name, which ends in the size of its picture in pixels."""
    points: Annotated[tuple[_Point, ...], Field(strict=False)] = ()
    """In the place of `template`: both eyes, the nose and both corners of the mouth as [x, y] in pixels of `size`."""
    size: Annotated[tuple[_Side, _Side], Field(strict=False)] | None = None
    """For `points`: width and height of the picture in which they lie; a network's input is scaled from it."""

    @model_validator(mode="after")
    def _a_template_or_points(self) -> Self:
        if self.template is None and len(self.points) != 5:
            message = f"has {len(self.points)} points, must have 5; or name a template: {', '.join(TEMPLATES)}"
            raise MisfitError((("points",), message))
        if self.template is not None and self.points:
            raise MisfitError((("points",), "template and points exclude each other"))
        if self.points and self.size is None:
            raise MisfitError((("size",), "points need size: width and height of the picture in which they lie"))
        if self.template is not None and self.size is not None:
            raise MisfitError((("size",), "a template has a size of its own"))
        if len(set(self.points)) == 1:
            raise MisfitError((("points",), "all lie in one place"))
        return self

    @property
    def template_size(self) -> tuple[int, int]:
        """Width and height of the picture in which `template_points` lie."""
        return TEMPLATES[self.template][0] if self.template else self.size or (1, 1)

    @property
    def template_points(self) -> tuple[tuple[float, float], ...]:
        """Where the landmarks are to lie."""
        return TEMPLATES[self.template][1] if self.template else self.points


_Align = Annotated[AlignConfig, BeforeValidator(lambda given: {"template": given} if isinstance(given, str) else given)]


class CutConfig(Section):
    """What a network sees of a face: a crop around its box, or the face aligned by its landmarks."""

    crop: CropConfig | None = None
    """How the face is cut out around its box."""
    align: _Align | None = None
    """The template by which the face is aligned, in the place of a crop."""

    @model_validator(mode="after")
    def _crop_or_align(self) -> Self:
        if self.crop is not None and self.align is not None:
            raise MisfitError((("align",), "crop and align exclude each other"))
        return self


class FacesConfig(CutConfig):
    """How faces are found; with the finder `none` each image is one face.

    `crop` and `align` hold for every network without one of its own; without either, networks see dlib's aligned chips
    with dlib, else a square with `margin`.
    """

    finder: Annotated[str, NameIn(FINDERS)] = DEFAULT
    """How faces are found, by a name of `facemon.finders.registry.FINDERS`.

    With `none` each image is one face; `onnx` runs the network that `detector` describes; `manifest` takes the boxes of
    the manifest that predict is given.
    """
    weights: FilePath | None = None
    """The network of a finder that runs one of the user's, an ONNX file."""
    detector: DetectorConfig | None = None
    """What the network takes that `weights` names, and how faces are read from its outputs."""
    min_confidence: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """The finder's own score from which on something is a face; none = the finder's default."""
    margin: Annotated[float, Field(ge=0, le=2)] = 0.2
    """Border around a face, as a share of the finder's own aligned image of it where there is one, else of its box."""
    min_size: Annotated[int, Field(ge=1)] = 1
    """A face with a shorter side of its box is passed over, in pixels of the image."""
    keep: Literal["all", "largest"] = "all"
    """Whether all faces of an image are predicted, or the largest alone."""

    @model_validator(mode="after")
    def _keys_fit_the_finder(self) -> Self:
        if faults := [*self._key_faults(), *self.cut_faults(self)]:
            raise MisfitError(*faults)
        return self

    def _key_faults(self) -> Iterator[tuple[tuple[str], str]]:
        """Why keys other than crop and align do not fit the finder."""
        finder, fields = finder_of(self), type(self).model_fields
        for key in finder.needs:
            if getattr(self, key) is None:
                yield (key,), f"the finder {finder.name} needs {key}"
        for key in finder.without_effect:
            # A default that is written out says no more than its absence does.
            if key not in CutConfig.model_fields and getattr(self, key) != fields[key].default:
                yield (key,), _refusal(finder, key)
        highest = finder.highest_confidence
        if highest is not None and self.min_confidence is not None and self.min_confidence > highest:
            yield ("min_confidence",), f"the confidence of {finder.name} is at most {highest:g}"

    def cut_faults(self, cut: CutConfig) -> Iterator[tuple[tuple[str], str]]:
        """Why faces of this finder cannot be cut out like this, by key."""
        finder = finder_of(self)
        for key in CutConfig.model_fields:
            if key in finder.without_effect and getattr(cut, key) is not None:
                yield (key,), _refusal(finder, key)
        is_described = self.detector is not None and self.detector.landmarks is not None
        if cut.align is not None and finder.landmarks is Landmarks.DESCRIBED and not is_described:
            yield ("align",), "needs the detector's landmarks: describe faces.detector.landmarks"

    def cut_for(self, own: CutConfig) -> CutConfig:
        """How faces are cut out for a network whose own description is `own`; neither = the finder's aligned chips."""
        said = self._cut_said(own)
        if said.align is not None:
            return CutConfig(align=said.align)
        finder = finder_of(self)
        crop = said.crop or (CropConfig() if finder.has_boxes and not finder.has_chips else None)
        if crop is not None and crop.margin is None and crop.scale is None:
            crop = crop.model_copy(update={"margin": (self.margin,)})
        return CutConfig(crop=crop)

    def _cut_said(self, own: CutConfig) -> CutConfig:
        """What decides about a network: its own crop or align, or those of this section."""
        return self if own.crop is None and own.align is None else own

    def unseen_keys(self, networks: Sequence[CutConfig]) -> Iterator[tuple[str, str]]:
        """Of crop, align and margin those that differ from the default and that no network follows, and why."""
        said = [self._cut_said(network) for network in networks]
        for key in CutConfig.model_fields:
            if getattr(self, key) is not None and not any(each is self for each in said):
                yield key, f"each network has a crop or align of its own, so this changes nothing; remove {key}"
        crops = [each.crop for each in said if each.align is None]
        has_own = all(crop is not None and (crop.margin is not None or crop.scale is not None) for crop in crops)
        if has_own and self.margin != type(self).model_fields["margin"].default:
            yield (
                "margin",
                "each network has align or a crop with a margin or scale, so this changes nothing; remove margin",
            )


def _refusal(finder: Finder, key: str) -> str:
    """Why a key is refused, and with which finders it has an effect."""
    others = [
        f"{each.name} with landmarks" if key == "align" and each.landmarks is Landmarks.DESCRIBED else each.name
        for each in FINDERS.values()
        if key not in each.without_effect
    ]
    return f"{finder.without_effect[key]}; {f'use {either(others)}, or ' if others else ''}remove {key}"
