"""A plan in words: what a check detects now, and how much data it needs to decide its threshold."""

from collections.abc import Sequence
from datetime import timedelta

from facemon.domain.counted import counted
from facemon.domain.decision_plan import CheckPlan, DecisionPlan, Detected, Rate, Remedy, SourcesPlan
from facemon.domain.drift_result import BETWEEN_SOURCES, ColumnResult, DriftResult, Verdict
from facemon.domain.times import span_name
from facemon.reports.column_figures import one_line

_SAME_SOURCES = "set a reference whose rows name the log's sources (tables.source)"
_ORIGINS = {"log": "as logged lately", "reference": "as in the reference", "given": "as given"}


def plan_facts(plan: DecisionPlan) -> tuple[tuple[str, str], ...]:
    """Return the plan as pairs of a name, such as `data check`, and a text without a full stop; names are unique."""
    facts = []
    if plan.rate is not None:
        facts.append(("images a day", f"{_per_day(plan.rate)}, {_ORIGINS[plan.rate.origin]}"))
    for each in plan.checks:
        name = each.check.value
        facts.append((f"{name} check", _outlook(each, plan)))
        if each.rows is not None and each.few_sources is None:
            facts.append((f"{name} at present", _present(each, plan)))
    if plan.sources is not None:
        facts.append(("by source", _sources_outlook(plan.sources, plan)))
    return tuple(facts)


def undecided_sentences(plan: DecisionPlan, result: DriftResult) -> tuple[str, ...]:
    """Return what would decide each undecided check of a result, or its sources where they alone are undecided.

    Checks whose undecided columns lack something other than rows get no sentence: the table has their reasons.
    """
    since, until = result.current.since, result.current.until
    compared = until - since if since and until else timedelta(0)
    undecided = {
        check: [column for column in outcome.columns if column.verdict is Verdict.UNDECIDED]
        for check, outcome in result.checks.items()
        if outcome.verdict is Verdict.UNDECIDED
    }
    found = [_sentence(each, plan, compared, undecided[each.check]) for each in plan.checks if each.check in undecided]
    sentences = [sentence for sentence in found if sentence is not None]
    if not undecided and plan.sources is not None and result.verdict is Verdict.UNDECIDED:
        sentences.append(f"By source, {_sources_outlook(plan.sources, plan)}.")
    return tuple(sentences)


def images_in_words(images: int) -> str:
    """Return a number of images, rounded up to two digits: more would claim to know the future."""
    digits = max(0, len(str(images)) - 2)
    return f"{-(-images // 10**digits) * 10**digits:,} images"


def first_plan_sentence(plan: DecisionPlan, reference: timedelta) -> str:
    """Return when the model's check can decide, before there is data: a plan at a given rate, as two lines at most."""
    (check,) = plan.checks
    rate = f"{_per_day(plan.rate)} images a day and " if plan.rate and check.window is not None else ""
    return f"with {rate}a reference of {span_name(reference)}, the {check.check.value} check\n{_outlook(check, plan)}"


def _sentence(each: CheckPlan, plan: DecisionPlan, compared: timedelta, columns: Sequence[ColumnResult]) -> str | None:
    """What would decide a check, given its undecided columns."""
    lacking = [column for column in columns if _lacks_rows(column, plan.min_rows)]
    others = [column.column for column in columns if column not in lacking]
    is_short = each.window is None or each.window > compared
    scored = [column for column in columns if column.score is not None]
    if lacking and (is_short or not scored):
        apart = f"Apart from {one_line(others[0])}, the" if others else "The"
        return f"{apart} {each.check.value} check {_outlook(each, plan)}."
    # So many rows decide most quiet runs; on this one a score is near its threshold, or rows are not what it lacks.
    if not scored:
        return None
    return f"Add --explain {one_line(scored[0].column)} for what would decide the {each.check.value} check."


def _lacks_rows(column: ColumnResult, min_rows: int) -> bool:
    """Whether more rows are what a column lacks, which is not so where sources are compared with each other."""
    if min(column.n_current, column.n_reference) < min_rows:
        return True
    return column.detectable is not None and not (column.test or "").startswith(BETWEEN_SOURCES)


def _outlook(each: CheckPlan, plan: DecisionPlan) -> str:
    """When a check can decide, or what would let it."""
    decides = f"decides a threshold of {each.threshold:g}"
    if (apart := each.few_sources) is not None:
        verb = "is" if apart.sources == 1 else "are"
        held = f"{counted(apart.sources, 'source')} {verb} in the {apart.side}, fewer than 5"
        return f"never {decides}: reference and log hold different sources, and {held}: {_SAME_SOURCES}"
    if plan.rate is None:
        few = "no number of images will do, the reference is too small"
        return f"{decides} with about {images_in_words(each.images)}" if each.images else f"never {decides}: {few}"
    if each.window is not None:
        about = f", about {images_in_words(each.images)}" if each.images else ""
        return f"{decides} with {span_name(each.window)} of images{about}"
    return f"never {decides} {_unless(each.remedies, plan.rate)}"


def _sources_outlook(sources: SourcesPlan, plan: DecisionPlan) -> str:
    if sources.window is not None:
        return f"most rows are decided with {span_name(sources.window)} of images"
    if sources.unknown:
        held = counted(sources.unknown, "source")
        return f"most rows are never decided: the reference has no rows of {held} of the log: {_SAME_SOURCES}"
    return f"most rows are never decided {_unless(sources.remedies, plan.rate)}"


def _unless(remedies: Sequence[Remedy], rate: Rate | None) -> str:
    now = "now" if rate is None else f"at {_per_day(rate)} images a day"
    helps = f"take {_any_of([_all_of(each) for each in remedies])}" if remedies else "it takes more of them"
    return f"{now}: {helps}"


def _all_of(remedy: Remedy) -> str:
    days = remedy.reference_days
    parts = [f"{counted(days, 'day')} of reference"] if days else []
    parts += [f"a threshold of {remedy.threshold:g}"] if remedy.threshold else []
    parts += [f"drift.widen_to: {span_name(remedy.widen_to)}"] if remedy.widen_to else []
    return " and ".join(parts)


def _any_of(choices: Sequence[str]) -> str:
    return choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])} or {choices[-1]}"


def _present(each: CheckPlan, plan: DecisionPlan) -> str:
    window = span_name(plan.window)
    if each.detects is None:
        for rows, holder in ((each.rows or 0, f"{window} hold"), (each.reference_rows or 0, "the reference holds")):
            if rows < plan.min_rows:
                return f"{holder} {rows:,} rows, fewer than min_rows {plan.min_rows}"
        return f"the {each.rows:,} rows of {window} repeat each other too much for any verdict"
    return f"{window} detect {_shift(each.detects)}"


def _shift(found: Detected) -> str:
    column = one_line(found.column)
    return f"{100 * found.shift:.1f} pts of {column}" if found.is_label else f"KS {found.shift:.3f} of {column}"


def _per_day(rate: Rate) -> str:
    return f"{rate.images_per_day:,.0f}" if rate.images_per_day >= 10 else f"{rate.images_per_day:.1f}"
