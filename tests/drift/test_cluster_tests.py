import numpy as np
import pytest
from numpy.typing import NDArray

from facemon.drift.cluster_tests import WindowRows, paired_test, unpaired_test
from tests.short_form import combinations

REPEATS = 600
REPEATS_IN_SHORT = 200
CORRELATION = 0.1


def sizes(rows: int, clusters: int, *, equal: bool) -> NDArray[np.float64]:
    weights = np.ones(clusters) if equal else 1 / np.arange(1, clusters + 1)
    return np.asarray(np.maximum(np.round(rows * weights / weights.sum()), 2), dtype=np.float64)


def rates(rng: np.random.Generator, share: float, clusters: int) -> NDArray[np.float64]:
    scale = (1 - CORRELATION) / CORRELATION
    return rng.beta(share * scale, (1 - share) * scale, clusters)


def p_values(
    *,
    clusters: int,
    equal: bool,
    same: bool,
    share: float,
    shift: float = 0.0,
    wobble: float = 0.0,
    repeats: int = REPEATS,
) -> list[float]:
    rng = np.random.default_rng(31)
    rows = (sizes(10_000, clusters, equal=equal), sizes(1000, clusters, equal=equal))
    found = []
    for _ in range(repeats):
        before = rates(rng, share, clusters)
        after = before if same else rates(rng, share, clusters)
        after = np.clip(after + shift + wobble * rng.standard_normal(clusters), 0, 1)
        counts = [
            rng.binomial(n.astype(np.int64), p)[:, None].astype(np.float64)
            for n, p in zip(rows, (before, after), strict=True)
        ]
        if same:
            found.append(paired_test((counts[0], counts[1]), rows).p_value)
        else:
            found.append(unpaired_test(WindowRows(counts[0], rows[0]), WindowRows(counts[1], rows[1])).p_value)
    return found


@pytest.mark.long_proof
@pytest.mark.parametrize(
    ("share", "same", "equal", "clusters"), combinations([0.05, 0.4], [True, False], [True, False], [5, 20])
)
def test_without_drift_alarms_are_rare(clusters: int, equal: bool, same: bool, share: float, at_length: bool) -> None:
    repeats = REPEATS if at_length else REPEATS_IN_SHORT
    found = np.array(p_values(clusters=clusters, equal=equal, same=same, share=share, repeats=repeats))
    for level in (0.01, 0.05):
        assert (found <= level).mean() <= level + 3 * np.sqrt(level / repeats)


@pytest.mark.parametrize("clusters", [5, 20])
def test_cameras_whose_days_differ_raise_no_alarm(clusters: int) -> None:
    found = np.array(p_values(clusters=clusters, equal=False, same=True, share=0.4, wobble=0.05))
    assert (found <= 0.05).mean() <= 0.08


@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("share", [0.2, 0.5])
def test_eight_points_on_the_same_twenty_cameras_are_found(equal: bool, share: float) -> None:
    found = np.array(p_values(clusters=20, equal=equal, same=True, share=share, shift=0.08))
    assert (found <= 0.05).mean() >= 0.9


def test_a_constant_that_changes_everywhere_is_proven() -> None:
    rows = (np.full(6, 500.0), np.full(6, 50.0))
    counts = (np.zeros((6, 1)), rows[1][:, None])
    assert paired_test(counts, rows).p_value < 1e-4
    sides = [WindowRows(cells, size) for cells, size in zip(counts, rows, strict=True)]
    assert unpaired_test(*sides).p_value < 1e-4


def test_no_change_at_all_has_no_p_value_to_speak_of() -> None:
    rows = (np.full(6, 500.0), np.full(6, 50.0))
    counts = (np.full((6, 1), 500.0), np.full((6, 1), 50.0))
    assert paired_test(counts, rows).p_value == 1
    assert unpaired_test(WindowRows(counts[0], rows[0]), WindowRows(counts[1], rows[1])).p_value == 1


def test_clusters_against_single_images() -> None:
    rng = np.random.default_rng(33)
    found = []
    for _ in range(REPEATS):
        rows = np.full(20, 50.0)
        cells = rng.binomial(50, rates(rng, 0.3, 20))[:, None].astype(np.float64)
        images = WindowRows(np.array([[float(rng.binomial(5000, 0.3))]]), np.array([5000.0]), independent=True)
        found.append(unpaired_test(images, WindowRows(cells, rows)).p_value)
    assert (np.array(found) <= 0.05).mean() <= 0.085
