"""Where no number of rows lets a reference decide, because the sources of the log are not those of the reference."""

from collections.abc import Sequence
from dataclasses import replace

from facemon.config.drift import DriftConfig
from facemon.config.model import AttributeConfig
from facemon.domain.decision_plan import CheckPlan, DecisionPlan, FewSources, SourcesPlan
from facemon.domain.drift_result import Check
from facemon.drift.compared_columns import compared_columns
from facemon.drift.dependence import TooFewClusters, layout_of
from facemon.drift.sample import Sample, alike
from facemon.drift.window_ladder import sources_to_judge

_HALF = 0.5


def with_sources(
    plan: DecisionPlan,
    reference: Sample,
    current: Sample,
    *,
    attributes: Sequence[AttributeConfig],
    settings: DriftConfig,
) -> DecisionPlan:
    """Return the plan of a reference beside current rows, which have the sources that are to come."""
    reference, current = alike(reference, current)
    if not reference.total.images or not current.total.images:
        return plan
    few = {each.check: _few_sources(each.check, reference, current, attributes, settings) for each in plan.checks}
    checks = tuple(_never(each, found) if (found := few[each.check]) else each for each in plan.checks)
    if unknown := _unknown_sources(reference, current):
        judged = len(sources_to_judge(reference, current))
        return replace(plan, checks=checks, sources=SourcesPlan(judged, None, unknown=unknown))
    return replace(plan, checks=checks)


def _never(each: CheckPlan, few: FewSources) -> CheckPlan:
    return replace(each, detects=None, images=None, window=None, remedies=(), few_sources=few)


def _few_sources(
    check: Check, reference: Sample, current: Sample, attributes: Sequence[AttributeConfig], settings: DriftConfig
) -> FewSources | None:
    """The side of a column whose sources are too few to be a sample of others; None where no column has one."""
    for column in compared_columns(check, attributes, reference, current, settings):
        if reference.column(column.name) and current.column(column.name):
            layout = layout_of(reference, current, column.name, settings.cluster)
            if isinstance(layout, TooFewClusters):
                return FewSources(layout.clusters, "reference" if layout.side == "reference" else "log")
    return None


def _unknown_sources(reference: Sample, current: Sample) -> int:
    """How many sources of the current rows the reference has no rows of, where they hold half of the rows."""
    if not sources_to_judge(reference, current):
        return 0
    unknown = [source for source in current.by_source if not reference.of_source(source).rows]
    held = sum(current.of_source(source).rows for source in unknown)
    return len(unknown) if held >= _HALF * current.rows else 0
