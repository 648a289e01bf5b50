"""Simulated images as a log counts them: 18 columns of images and of five attributes, for each source its own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, logit, ndtr

from benchmarks.hourly_columns import Floats, Ints, Keys
from facemon.config.model import AttributeConfig
from facemon.domain.binning import MISSING, Scale, bins_of, lower_edges
from facemon.domain.profile import ColumnKind, Unit

_CORRELATION = 0.05
"""How much alike two rows of one source are (the intra-class correlation)."""
_OWN_LEVEL = 0.5
"""How far the medians of numbers of two sources lie apart, in standard deviations of their rows."""
_TAIL = 3.5
"""Numbers so many standard deviations from the median are counted in the outermost bins."""
_QUARTER = 128
"""Bins of the log from a number to a quarter of it."""
_FAILED, _NO_FACE = 0.005, 0.04
FEATURES: Mapping[str, tuple[float, float, float]] = {
    "brightness": (110.0, 0.30, 255.0),
    "contrast": (52.0, 0.28, 128.0),
    "sharpness": (300.0, 0.90, np.inf),
    "saturation": (75.0, 0.45, 255.0),
    "size": (260_000.0, 0.50, np.inf),
    "face_share": (0.12, 0.60, 1.0),
}
"""Of each image feature the median, the standard deviation of its logarithm, and the highest value."""
LABELS: Mapping[str, Mapping[str, float]] = {
    "smiling": {"no": 0.52, "yes": 0.48},
    "eyeglasses": {"no": 0.87, "yes": 0.13},
    "gender": {"female": 0.58, "male": 0.42},
    "hat": {"no": 0.94, "yes": 0.06},
    "age": {"child": 0.08, "young": 0.47, "middle": 0.33, "old": 0.12},
}
CONFIDENCES: Mapping[str, tuple[float, float]] = {
    "smiling": (2.5, 1.6), "eyeglasses": (4.5, 1.8), "gender": (4.0, 1.8), "hat": (4.5, 1.5), "age": (1.0, 0.9),
}  # fmt: skip
"""Of each attribute's confidence the mean and the standard deviation of its logit."""
ATTRIBUTES = tuple(
    AttributeConfig(name=name, output="out", kind="binary" if len(held) == 2 else "categorical", labels=tuple(held))
    for name, held in LABELS.items()
)


@dataclass(frozen=True, slots=True)
class Distribution:
    """The shares of a column's keys, one row per source."""

    keys: Keys
    shares: Floats

    @property
    def is_of_images(self) -> bool:
        """Whether the column has a row for each image, not for each face."""
        return self.keys.unit is Unit.IMAGE

    def moved(self, source: int | None, shift: float) -> "Distribution":
        """The first label's share moved by `shift` towards one half, in one source or in all; the others give way."""
        shares = self.shares.copy()
        at = slice(None) if source is None else slice(source, source + 1)
        first = shares[at, 0]
        wanted = first + np.where(first < 0.5, shift, -shift)
        shares[at, 1:] *= ((1 - wanted) / (1 - first))[:, None]
        shares[at, 0] = wanted
        return replace(self, shares=shares)

    def darkened(self, source: int) -> "Distribution":
        """Numbers that fall to a quarter in one source."""
        shares = self.shares.copy()
        shares[source, 1:] = np.roll(shares[source, 1:], -_QUARTER)
        return replace(self, shares=shares)


def distributions(rng: np.random.Generator, sources: int) -> dict[str, Distribution]:
    """The columns of so many sources, which differ where there are several."""
    found = {f"image_{name}": _numbers(rng, sources, name) for name in FEATURES}
    found["image_failed"] = _labels(rng, sources, {"no": 1 - _FAILED, "yes": _FAILED}, Unit.IMAGE)
    found["image_no_face"] = _labels(rng, sources, {"no": 1 - _NO_FACE, "yes": _NO_FACE}, Unit.IMAGE)
    for name, held in LABELS.items():
        found[name] = _labels(rng, sources, held, Unit.FACE)
        found[f"{name}_confidence"] = _confidences(rng, sources, name)
    return found


def counts_of(
    rng: np.random.Generator, images: Ints, columns: Mapping[str, Distribution]
) -> tuple[Ints, dict[str, Ints]]:
    """The faces, and the counts of each column [rows, keys], of so many images in each row.

    A row is a source, or an hour of the only one. Images that failed lack the features; those without a face have no
    attributes.
    """
    failed, none = (rng.binomial(images, columns[name].shares[:, 1]) for name in ("image_failed", "image_no_face"))
    none = np.minimum(none, images - failed)
    faces = images - failed - none
    counts = {}
    for name, column in columns.items():
        shares = np.broadcast_to(column.shares, (len(images), column.shares.shape[1]))
        if name in ("image_failed", "image_no_face"):
            seen = failed if name == "image_failed" else none
            counts[name] = np.column_stack([images - seen, seen])
        elif column.is_of_images:
            drawn = rng.multinomial(images - failed, shares[:, 1:])
            counts[name] = np.column_stack([failed, drawn])
        else:
            counts[name] = rng.multinomial(faces, shares)
    return faces, counts


def _labels(rng: np.random.Generator, sources: int, held: Mapping[str, float], unit: Unit) -> Distribution:
    """Shares of labels, the first label's from a beta distribution where there are several sources."""
    shares = np.tile(np.array(list(held.values())), (sources, 1))
    if sources > 1:
        strength = (1 - _CORRELATION) / _CORRELATION
        first = shares[0, 0]
        quantiles = np.clip(rng.random(sources), 0.01, 0.99)
        own = np.asarray(betaincinv(first * strength, (1 - first) * strength, quantiles))
        shares[:, 1:] *= ((1 - own) / (1 - first))[:, None]
        shares[:, 0] = own
    return Distribution(Keys(ColumnKind.CATEGORICAL, unit, tuple(held)), shares)


def _numbers(rng: np.random.Generator, sources: int, name: str) -> Distribution:
    """Log-normal numbers in the log's bins; those of images begin with the bin of what is missing."""
    middle, deviation, highest = FEATURES[name]
    ends = middle * np.exp(np.array([-_TAIL, _TAIL]) * deviation)
    low, high = bins_of(np.minimum(ends, highest), Scale.LOG_LINEAR)
    # A source that darkens needs room below.
    bins = np.arange(low - _QUARTER * (name == "brightness"), high + 1, dtype=np.int32)
    edges = (np.log(lower_edges(bins, Scale.LOG_LINEAR)) - np.log(middle)) / deviation
    shares = _shares(edges, _levels(rng, sources))
    if name == "face_share":
        return Distribution(Keys(ColumnKind.NUMBER, Unit.FACE, bins=bins), shares)
    keys = Keys(ColumnKind.NUMBER, Unit.IMAGE, bins=np.concatenate([[np.int32(MISSING)], bins]).astype(np.int32))
    return Distribution(keys, np.column_stack([np.zeros(sources), shares]))


def _confidences(rng: np.random.Generator, sources: int, name: str) -> Distribution:
    """Confidences of at least one half, whose logits are normal, in the log's bins."""
    middle, deviation = CONFIDENCES[name]
    ends = 1 / (1 + np.exp(-np.array([0.0, middle + _TAIL * deviation])))
    low, high = bins_of(ends, Scale.LOGIT)
    bins = np.arange(low, high + 1, dtype=np.int32)
    edges = (logit(lower_edges(bins, Scale.LOGIT)) - middle) / deviation
    return Distribution(Keys(ColumnKind.CONFIDENCE, bins=bins), _shares(edges, _levels(rng, sources)))


def _levels(rng: np.random.Generator, sources: int) -> Floats:
    return _OWN_LEVEL * rng.standard_normal(sources) if sources > 1 else np.zeros(1)


def _shares(edges: Floats, levels: Floats) -> NDArray[np.float64]:
    """Of standard normals around each level the shares between the lower edges of bins; the outer bins are open."""
    below = ndtr(edges[None, 1:] - levels[:, None])
    return np.diff(below, axis=1, prepend=0.0, append=1.0)
