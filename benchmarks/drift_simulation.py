"""Made-up rows of known distributions: correlated columns, with or without sources that differ, each from a seed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtr, ndtri

from facemon.domain.binning import Scale, bins_of
from facemon.domain.profile import ColumnCounts, ColumnKind, Profile, binned_counts, categorical_counts
from facemon.drift.sample import Sample

Floats = NDArray[np.float64]
Latent = NDArray[np.float32]

BASE_RATES: Mapping[str, float] = {
    "five_o_clock_shadow": 0.111, "arched_eyebrows": 0.267, "attractive": 0.513, "bags_under_eyes": 0.205,
    "bald": 0.022, "bangs": 0.152, "big_lips": 0.241, "big_nose": 0.235, "black_hair": 0.239, "blond_hair": 0.148,
    "blurry": 0.051, "brown_hair": 0.205, "bushy_eyebrows": 0.142, "chubby": 0.058, "double_chin": 0.047,
    "eyeglasses": 0.065, "goatee": 0.063, "gray_hair": 0.042, "heavy_makeup": 0.387, "high_cheekbones": 0.455,
    "male": 0.417, "mouth_open": 0.483, "mustache": 0.042, "narrow_eyes": 0.115, "no_beard": 0.835,
    "oval_face": 0.284, "pale_skin": 0.043, "pointy_nose": 0.277, "receding_hairline": 0.080, "rosy_cheeks": 0.066,
    "sideburns": 0.057, "smiling": 0.482, "straight_hair": 0.208, "wavy_hair": 0.320, "earrings": 0.189,
    "hat": 0.048, "lipstick": 0.472, "necklace": 0.123, "necktie": 0.073, "young": 0.774,
}  # fmt: skip
"""The shares of CelebA's 40 binary attributes (Liu et al., "Deep Learning Face Attributes in the Wild", 2015)."""
CORRELATION = 0.1
"""How much alike two rows of one source are (the intra-class correlation)."""
_FACTORS = 3
_COMMON = 0.4
"""How much of a column's variance comes from the factors that all columns share."""


def loadings(columns: int) -> Latent:
    """How much each column follows each factor, [factors, columns]; correlations have either sign."""
    directions = np.random.default_rng(0).standard_normal((_FACTORS, columns))
    lengths = np.linalg.norm(directions, axis=0)
    return np.asarray(np.sqrt(_COMMON) * directions / lengths, np.float32)


def correlated_normals(rng: np.random.Generator, rows: int, columns: int) -> Latent:
    """Standard normals [rows, columns] of a factor model: the Gaussian copula of all worlds here."""
    normals = rng.standard_normal((rows, columns), dtype=np.float32)
    normals *= np.float32(np.sqrt(1 - _COMMON))
    normals += rng.standard_normal((rows, _FACTORS), dtype=np.float32) @ loadings(columns)
    return normals


def marks(rng: np.random.Generator, rows: int, rates: Mapping[str, float]) -> NDArray[np.bool_]:
    """Which rows have which of the binary attributes, [rows, attributes]."""
    limits = np.asarray(ndtri(list(rates.values())), np.float32)
    return np.asarray(correlated_normals(rng, rows, len(rates)) < limits)


def binary_sample(rng: np.random.Generator, rows: int, rates: Mapping[str, float]) -> Sample:
    """Independent rows of correlated binary attributes."""
    return _of_counts({None: (rows, marks(rng, rows, rates).sum(axis=0))}, rates)


def three_of(repeat: int) -> tuple[str, ...]:
    """The attributes that one repeat moves: three at once, and all of them in turn."""
    names = list(BASE_RATES)
    return tuple(names[(3 * repeat + step) % len(names)] for step in range(3))


def moved(rates: Mapping[str, float], names: tuple[str, ...], shift: float) -> dict[str, float]:
    """The rates with those of some attributes shifted."""
    return {name: rate + shift * (name in names) for name, rate in rates.items()}


@dataclass(frozen=True, slots=True)
class Sources:
    """Cameras that see different people: for each the quantile of its rate per attribute, and its share of rows."""

    name: str
    quantiles: Floats
    weights: Floats

    @classmethod
    def draw(cls, rng: np.random.Generator, count: int, *, equal: bool, name: str) -> "Sources":
        """New sources; unequal ones have weights whose largest is about ten times the smallest for five of them."""
        weights = np.ones(count) if equal else np.exp(rng.standard_normal(count))
        quantiles = ndtr(correlated_normals(rng, count, len(BASE_RATES)).astype(np.float64))
        return cls(name, np.clip(quantiles, 1e-6, 1 - 1e-6), weights / weights.sum())

    def rates(self) -> Floats:
        """Each source's own rate of each attribute, from beta distributions around `BASE_RATES`."""
        means, strength = np.array(list(BASE_RATES.values())), (1 - CORRELATION) / CORRELATION
        return np.asarray(betaincinv(means * strength, (1 - means) * strength, self.quantiles))

    def sample(self, rng: np.random.Generator, rows: int, names: tuple[str, ...] = (), shift: float = 0.0) -> Sample:
        """Rows of these sources, of which the named attributes moved by `shift` towards one half in every source.

        The counts are beta-binomial around `BASE_RATES`: two rows of one source correlate by `CORRELATION`.
        """
        means = np.array(list(BASE_RATES.values()))
        rates = self.rates() + np.where(np.isin(list(BASE_RATES), names), np.where(means < 0.5, shift, -shift), 0)
        sizes = np.maximum(np.round(self.weights * rows).astype(np.int64), 1)
        counts = rng.binomial(sizes[:, None], np.clip(rates, 0, 1))
        groups: dict[str | None, tuple[int, NDArray[np.int64]]] = {
            f"{self.name} {at}": (int(size), row) for at, (size, row) in enumerate(zip(sizes, counts, strict=True))
        }
        return _of_counts(groups, BASE_RATES)


def _of_counts(groups: Mapping[str | None, tuple[int, NDArray[np.int64]]], rates: Mapping[str, float]) -> Sample:
    profiles = {}
    for source, (rows, yes) in groups.items():
        columns = {
            name: categorical_counts({"yes": count, "no": rows - count})
            for name, count in zip(rates, yes.tolist(), strict=True)
        }
        profiles[source] = Profile(rows, rows, rows, columns)
    return Sample.of_sources(profiles)


_LABELLED, _CONFIDENCES, _NUMBERS = 16, 12, 12
MIXED_COLUMNS = (
    *(f"labels_{at}" for at in range(_LABELLED)),
    *(f"attribute_{at}_confidence" for at in range(_CONFIDENCES)),
    *(f"numbers_{at}" for at in range(_NUMBERS)),
)
"""Columns of 3 to 8 labels, one of them rare; confidences, some saturated; numbers: skewed, whole, partly missing."""


def mixed_sample(rng: np.random.Generator, rows: int) -> Sample:
    """Independent rows of correlated categorical and numeric columns, the numbers in the log's fixed bins."""
    normals = correlated_normals(rng, rows, len(MIXED_COLUMNS))
    columns = {name: _mixed_column(at, normals[:, at], rng) for at, name in enumerate(MIXED_COLUMNS)}
    return Sample.of_sources({None: Profile(rows, rows, rows, columns)})


def _mixed_column(at: int, normals: Latent, rng: np.random.Generator) -> ColumnCounts:
    if at < _LABELLED:
        shares = np.append(np.arange(2 + at % 6, 0, -1), 0.005)
        cuts = ndtri(np.cumsum(shares / shares.sum())[:-1]).astype(np.float32)
        counts = np.bincount(np.searchsorted(cuts, normals), minlength=len(shares))
        return categorical_counts({f"label {number}": int(count) for number, count in enumerate(counts)})
    if at < _LABELLED + _CONFIDENCES:
        middle, spread = ((1.0, 1.0), (3.0, 2.0), (8.0, 1.5))[at % 3]
        return confidence_counts(1 / (1 + np.exp(-(middle + spread * normals))))
    numbers = np.exp(3 + normals / 2)
    if at % 3 == 1:
        numbers = np.round(numbers / 4)
    elif at % 3 == 2:
        numbers = np.where(rng.random(len(numbers)) < 0.03, np.nan, 10 * normals)
    return number_counts(numbers)


def number_counts(values: NDArray[np.floating]) -> ColumnCounts:
    """The counts of numbers in the log's bins."""
    return _binned(values, Scale.LOG_LINEAR, ColumnKind.NUMBER)


def confidence_counts(values: NDArray[np.floating]) -> ColumnCounts:
    """The counts of confidences in the log's bins."""
    return _binned(values, Scale.LOGIT, ColumnKind.CONFIDENCE)


def _binned(values: NDArray[np.floating], scale: Scale, kind: ColumnKind) -> ColumnCounts:
    bins, counts = np.unique(bins_of(values, scale), return_counts=True)
    return binned_counts(bins, counts.astype(np.int64), kind)
