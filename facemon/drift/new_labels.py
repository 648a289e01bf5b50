"""Whether the current window holds more rows of labels that the reference lacks than chance puts there.

A window of an open vocabulary, such as camera models, holds some labels that no earlier window has, drift or not; a
window of seven labels holds none. The test takes the counts of both windows together as given and asks where they
fell. With no drift, all m rows of a label lie in the current window, which has n of the N rows, with probability
C(n, m)/C(N, m): the hypergeometric distribution of Fisher's exact test. Where rows have sources, each source is a
stratum of its own and the probabilities of its strata multiply (as in Mantel & Haenszel 1959).

The statistic is the number of rows with such labels. The number of the labels finds less: against thousands of labels
that are rare by nature, one new label counts as one, however many rows it has.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facemon.distribution_functions import gammaln
from facemon.domain.array_types import Counts, Floats

_NEGLIGIBLE = 1e-12
"""Probability below which a new label is impossible in practice."""
_BIN = 0.01
"""Labels of as many rows whose log probabilities fall into one bin of this width share their mean."""
_CUT = 1e-16
"""Probability that may be left out at either end of a distribution."""


@dataclass(frozen=True, slots=True)
class NewLabels:
    """The outcome of `new_labels_test`."""

    p_value: float
    chance: float
    """The probability that at least one label is new while nothing drifts."""
    labels: int
    """How many labels the current window holds and the reference lacks, without those of sources that it lacks."""


@dataclass(frozen=True, slots=True)
class _Groups:
    """Labels that are alike, by group: `rows` per label, the `log` probability to be new, the number of `labels`."""

    rows: NDArray[np.int64]
    log: Floats
    labels: NDArray[np.int64]

    def log_odds(self, tilt: float) -> Floats:
        """The logarithm of the odds of each group's labels to be new, multiplied by `exp(tilt · rows)`."""
        return self.log - _log_rest(self.log) + tilt * self.rows

    def moments(self, tilt: float) -> tuple[float, float]:
        """The mean and the variance of the number of rows with new labels, tilted."""
        chances = _chances(self.log_odds(tilt))
        mean = self.labels * self.rows * chances
        return float(mean.sum()), float((mean * self.rows * (1 - chances)).sum())


def new_labels_test(reference: Counts, current: Counts, design_effect: float = 1.0) -> NewLabels | None:
    """Test the number of rows whose label the reference lacks in all strata.

    `reference` and `current` are counts of rows, strata by labels, `[S, K]`; rows without strata are one stratum. The
    p-value is the upper tail and half of the probability of the number seen (mid-p, Lancaster 1961). It takes the
    labels' places as independent. They are slightly less dispersed, since a window's size is given, which errs towards
    a quiet test.

    `design_effect` is the number of rows that stand for one independent row, such as the faces of one image, as the
    mean over rows. It takes 2 · `design_effect` - 1 rows of a label for one independent row, since a rare label may owe
    all its rows to one large image. The division of a score, as in `homogeneity`, would be wrong here: rows that repeat
    make new labels more frequent, not only their number more variable. Where images differ in size, the test so finds
    less than it could.

    None where the rows can say nothing: a window is empty, no label can be new, or all rows have labels of their own,
    which are as many as the window has rows, drift or not.
    """
    if _all_known(reference, current, 2 * design_effect - 1):
        return None
    together = reference + current
    rows = together.sum(axis=0)
    logs = _log_chances(together, current.sum(axis=1), design_effect)
    is_new = (reference.sum(axis=0) == 0) & (current.sum(axis=0) > 0)
    # Not the labels that are new for certain, because the reference has no rows where they are seen.
    is_placed, is_open = logs < 0, (logs < 0) & np.isfinite(logs)
    if not is_open.any() or (rows[is_placed] == 1).all():
        return None
    groups = _grouped(rows[is_open], logs[is_open])
    chance = abs(float(np.expm1((groups.labels * _log_rest(groups.log)).sum())))
    is_new &= is_open
    if chance < _NEGLIGIBLE and not is_new.any():
        return None
    return NewLabels(_mid_p_value(groups, int(rows[is_new].sum())), chance, int(is_new.sum()))


def _all_known(reference: Counts, current: Counts, repeats: float) -> bool:
    """Whether no label is new, or likely to be, since each has many rows: the common case, and quick to tell."""
    together = reference + current
    rows = together.sum(axis=0)
    share = (current.sum(axis=1) / np.maximum(together.sum(axis=1), 1)).max()
    is_known = rows.all() and reference.sum(axis=0).all()
    return bool(is_known and len(rows) * share ** (rows.min() / repeats) < _NEGLIGIBLE)


def are_known(reference: Counts, current: Counts, design_effects: Floats) -> NDArray[np.bool_]:
    """Return where `new_labels_test` of one source with two labels can tell at once that none is new, of many, [S, 2].

    Their rows have such `design_effects`, [S].
    """
    both = reference + current
    share = current.sum(axis=1) / np.maximum(both.sum(axis=1), 1)
    chance = 2 * share ** (both.min(axis=1) / (2 * design_effects - 1))
    return np.asarray((reference.min(axis=1) > 0) & (chance < _NEGLIGIBLE))


def with_new_labels(p_value: float, new: NewLabels | None) -> float:
    """The p-value of a test of the same labels, such as `labels_p_value`, and of the new ones together.

    With m the smaller of both p-values, no drift gives one of at most m with a probability of at most
    m + min(m, chance): Bonferroni's 2m, but that the test of new labels cannot reject more often than there are new
    labels. It costs nothing where no label can be new. To double the p-value only where a label is new would reject
    too often: up to 5 % more where new labels are rare.
    """
    if new is None:
        return p_value
    smaller = min(p_value, new.p_value)
    return min(1.0, smaller + min(smaller, new.chance))


def _chances(log_odds: Floats) -> Floats:
    return np.asarray(np.exp(-np.logaddexp(0, -log_odds)))


def _log_rest(log: Floats) -> Floats:
    """The logarithm of 1 - p, from that of p < 1."""
    return np.asarray(np.log(-np.expm1(log)))


def _log_chances(together: Counts, rows: Counts, design_effect: float) -> Floats:
    """Per label the log probability that all its rows lie in the current window, which has `rows` per stratum."""
    strata, labels = np.nonzero(together)
    count, current, total = together[strata, labels], rows[strata], together.sum(axis=1)[strata]
    repeats = 2 * design_effect - 1
    with np.errstate(divide="ignore"):
        single = np.log(current / total)
    # Zero of a negative factorial: a label with more rows than the window cannot be new.
    logs = gammaln(current + 1) - gammaln(current - count + 1) + gammaln(total - count + 1) - gammaln(total + 1)
    logs = np.where(current == total, 0.0, np.minimum(single, logs / repeats))
    return np.bincount(labels, weights=logs, minlength=together.shape[1]).astype(np.float64)


def _grouped(rows: NDArray[np.int64], logs: Floats) -> _Groups:
    """Put labels of as many rows and nearly the same probability together; within one stratum it is the same.

    A sum of unequal chances is less dispersed than one of equal ones with the same mean (Hoeffding 1956).
    """
    sizes, size = np.unique(rows, return_inverse=True)
    bins = np.minimum(-logs / _BIN, 2.0**30).astype(np.int64)
    _, group, labels = np.unique(size * 2**31 + bins, return_inverse=True, return_counts=True)
    members = np.zeros(len(labels), dtype=np.int64)
    members[group] = size
    return _Groups(sizes[members], np.bincount(group, weights=logs) / labels, labels.astype(np.int64))


def _mid_p_value(groups: _Groups, seen: int) -> float:
    """P(more rows than `seen`) + P(as many) / 2, relatively exact in the far tail too.

    The distribution is tilted until its mean is the number seen (Esscher 1932), so that the tail is its middle:
    P(R = r) = exp(K - tilt · r) times the tilted probability, with K the cumulant generating function.
    """
    if seen >= (groups.rows * groups.labels).sum():
        return float(np.exp((groups.labels * groups.log).sum()) / 2)
    tilt = _tilt_to(groups, seen)
    cumulant = (groups.labels * np.logaddexp(_log_rest(groups.log), groups.log + tilt * groups.rows)).sum()
    first, probabilities = _distribution(groups, groups.log_odds(tilt))
    above = np.arange(first, first + len(probabilities)) - seen
    halves = np.where(above == 0, 0.5, 1.0) * (above >= 0)
    weights = np.exp(cumulant - tilt * (seen + np.maximum(above, 0)))
    return float(min(1.0, (probabilities * halves * weights).sum()))


def _tilt_to(groups: _Groups, seen: int) -> float:
    """The tilt that makes `seen` about the mean; 0 where the mean is not below. It need not be exact."""
    if groups.moments(0.0)[0] >= seen:
        return 0.0
    low, high = 0.0, 1.0
    while groups.moments(high)[0] < seen:
        low, high = high, 2 * high
    for _ in range(60):
        tilt = (low + high) / 2
        mean, variance = groups.moments(tilt)
        if abs(mean - seen) <= 0.1 * np.sqrt(variance):
            break
        low, high = (tilt, high) if mean < seen else (low, tilt)
    return tilt


def _distribution(groups: _Groups, log_odds: Floats) -> tuple[int, Floats]:
    """The distribution of the number of rows with new labels: its first value, and the probabilities from there.

    A sum of binomial numbers of labels, each times the rows per label: convolved one by one, with what is
    negligible cut off at both ends.
    """
    first, sums = 0, np.ones(1)
    for at in np.flatnonzero(groups.labels * _chances(log_odds) > _CUT):
        fewest, binomial = _binomial(int(groups.labels[at]), float(log_odds[at]))
        step = int(groups.rows[at])
        if step == 1:
            sums = np.convolve(sums, binomial)
        else:
            longer = np.zeros(len(sums) + step * (len(binomial) - 1))
            for number, probability in enumerate(binomial):
                longer[step * number : step * number + len(sums)] += probability * sums
            sums = longer
        kept = np.flatnonzero(sums > _CUT)
        first += step * fewest + int(kept[0])
        sums = sums[kept[0] : kept[-1] + 1]
    return first, sums


def _binomial(labels: int, log_odds: float) -> tuple[int, Floats]:
    """The smallest number of labels that is not negligible, and the probabilities from there."""
    chance = np.exp(-np.logaddexp(0, -log_odds))
    middle, reach = labels * chance, 9 * np.sqrt(labels * chance * (1 - chance)) + 16
    numbers = np.arange(max(0, int(middle - reach)), min(labels, int(middle + reach)) + 1)
    logs = gammaln(labels + 1) - gammaln(numbers + 1) - gammaln(labels - numbers + 1)
    probabilities = np.exp(logs + numbers * log_odds - labels * np.logaddexp(0, log_odds))
    kept = np.flatnonzero(probabilities > _CUT)
    return int(numbers[kept[0]]), probabilities[kept[0] : kept[-1] + 1]
