"""The verdict on one column, from its evidence and what the user calls a shift that matters."""

from dataclasses import dataclass

from facemon.domain.drift_result import Verdict
from facemon.drift.column_evidence import Evidence

BLUNT = 2
"""Rows that cannot detect a shift of this many thresholds cannot rule out drift."""
_ROUNDING = 1e-9
"""A difference of cumulated shares such as 0.6 - 0.5 falls short of 0.1 by less than this."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, and why it is not a plain one."""

    verdict: Verdict
    reason: str | None = None


def decide(evidence: Evidence, p_adjusted: float | None, threshold: float, significance: float) -> Decision:
    """Drift if the score reaches the threshold and is proven; undecided if it could be; else ok."""
    if evidence.score is None or evidence.detectable is None or p_adjusted is None:
        return Decision(evidence.untested, evidence.reason)
    if evidence.score >= threshold - _ROUNDING:
        if p_adjusted <= significance:
            return Decision(Verdict.DRIFT)
        return Decision(
            Verdict.UNDECIDED,
            f"the score {evidence.score:.3g} reaches the threshold {threshold:g}, but these rows do not prove it "
            f"(adjusted p {p_adjusted:.2g})",
        )
    if evidence.detectable > BLUNT * threshold:
        return Decision(
            Verdict.UNDECIDED,
            f"not enough data to rule out drift: the smallest detectable shift is {evidence.detectable:.3g}, "
            f"more than twice the threshold {threshold:g}",
        )
    return Decision(Verdict.OK)
