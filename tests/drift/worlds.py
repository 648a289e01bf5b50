"""Made-up rows for the drift tests: profiles of labels and numbers, with or without sources."""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from facemon.config.drift import DriftConfig
from facemon.config.model import AttributeConfig
from facemon.domain.binning import Scale, bins_of
from facemon.domain.drift_result import Check, CheckResult, Side
from facemon.domain.profile import (
    ColumnCounts,
    ColumnKind,
    Profile,
    Unit,
    binned_counts,
    categorical_counts,
)
from facemon.drift.drift_check import run_checks
from facemon.drift.sample import Sample

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
EMPTY = Side(0)


def binary(name: str) -> AttributeConfig:
    return AttributeConfig(name=name, output="out", kind="binary", labels=("no", "yes"))


def yes_no(yes: int, rows: int, unit: Unit = Unit.FACE) -> ColumnCounts:
    return categorical_counts({"yes": yes, "no": rows - yes}, unit)


def numbers(values: NDArray[np.floating], kind: ColumnKind = ColumnKind.NUMBER) -> ColumnCounts:
    scale = Scale.LOGIT if kind is ColumnKind.CONFIDENCE else Scale.LOG_LINEAR
    bins = bins_of(values, scale)
    return binned_counts(bins, np.ones(len(bins), dtype=np.int64), kind)


def profile(columns: Mapping[str, ColumnCounts]) -> Profile:
    rows = max(column.total for column in columns.values())
    return Profile(rows, rows, rows, dict(columns))


def single(**columns: ColumnCounts) -> Sample:
    return Sample.of_rows(profile(columns))


def judge(
    reference: Sample, current: Sample, *attributes: str, check: Check = Check.MODEL, **settings: object
) -> CheckResult:
    result = run_checks(
        reference,
        current,
        checks=[check],
        attributes=[binary(name) for name in attributes],
        settings=DriftConfig.model_validate(settings),
        at=NOW,
        reference_side=EMPTY,
        current_side=EMPTY,
    )
    return result.checks[check]


def correlated_attributes(
    rng: np.random.Generator, rows: int, shares: NDArray[np.float64], correlation: float = 0.3
) -> Sample:
    """Rows of many binary attributes that share one normal factor."""
    shape = (rows, len(shares))
    noise = np.sqrt(correlation) * rng.standard_normal((rows, 1)) + np.sqrt(1 - correlation) * rng.standard_normal(
        shape
    )
    limits = np.quantile(np.random.default_rng(0).standard_normal(200_000), shares)
    yes = (noise < limits).sum(axis=0)
    return single(**{f"a{at}": yes_no(int(count), rows) for at, count in enumerate(yes)})


def cameras(
    rng: np.random.Generator, rates: NDArray[np.float64], sizes: NDArray[np.int64], name: str = "camera"
) -> Sample:
    """One binary attribute `beard` seen by several sources, each with a rate of its own."""
    return Sample.of_sources(
        {
            f"{name} {at}": profile({"beard": yes_no(int(rng.binomial(size, rate)), int(size))})
            for at, (rate, size) in enumerate(zip(rates, sizes, strict=True))
        }
    )
