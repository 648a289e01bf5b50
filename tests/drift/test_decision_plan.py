"""The plan of a reference: what it says of days holds for the ladder of windows, and in simulated nights."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facemon.config.drift import DriftConfig
from facemon.config.model import AttributeConfig
from facemon.domain.decision_plan import CheckPlan, DecisionPlan, Rate
from facemon.domain.drift_result import Check, Verdict
from facemon.domain.profile import ColumnKind, Profile, categorical_counts
from facemon.drift.compared_columns import ComparedColumn, compared_columns
from facemon.drift.decision_plan import first_rows, images_of_first_check, plan_decisions
from facemon.drift.drift_check import run_checks
from facemon.drift.sample import Sample
from facemon.drift.scaled_sample import scaled
from facemon.drift.window_ladder import Ladder, Rung, climb, rungs_of
from tests.drift.worlds import EMPTY, NOW, binary, numbers, profile, single, yes_no
from tests.short_form import examples

DAY = timedelta(days=1)
HAIR = np.array([0.4, 0.25, 0.15, 0.1, 0.06, 0.03, 0.01])
ATTRIBUTES = (
    binary("beard"),
    AttributeConfig(name="hair", output="out", kind="categorical", labels=tuple(f"hair {at}" for at in range(7))),
)
BOTH = (Check.DATA, Check.MODEL)


def drawn(random: np.random.Generator, rows: int) -> Profile:
    """Rows of a quiet world: two attributes, a confidence and an image column."""
    hair = random.multinomial(rows, HAIR)
    return profile(
        {
            "beard": yes_no(int(random.binomial(rows, 0.3)), rows),
            "beard_confidence": numbers(1 - random.beta(1, 20, rows), ColumnKind.CONFIDENCE),
            "hair": categorical_counts({f"hair {at}": int(count) for at, count in enumerate(hair)}),
            "image_brightness": numbers(random.normal(0.5, 0.1, rows)),
        }
    )


def planned(
    reference: Sample, rate: float, checks: tuple[Check, ...] = BOTH, given: Mapping[str, object] | None = None
) -> DecisionPlan:
    settings = DriftConfig.model_validate(given or {})
    return plan_decisions(reference, Rate(rate, "log"), checks=checks, attributes=ATTRIBUTES, settings=settings)


def days(each: CheckPlan) -> float:
    return float("inf") if each.window is None else each.window / DAY


def climbed(reference: Sample, read: Callable[[Rung], Sample], checks: tuple[Check, ...] = BOTH) -> Ladder:
    def columns(sample: Sample) -> list[tuple[Check, ComparedColumn]]:
        return [
            (check, column)
            for check in checks
            for column in compared_columns(check, ATTRIBUTES, reference, sample, DriftConfig())
        ]

    rungs = rungs_of(NOW - DAY, NOW, widen_to=DriftConfig().widen_to)
    return climb(reference, rungs, read, columns, DriftConfig(), judges_sources=True)


ROWS, RATES = st.integers(50, 20_000), st.integers(5, 5_000)


@given(ROWS, RATES, st.floats(1, 5), st.integers(0, 100))
def test_more_rows_never_make_it_longer(rows: int, rate: int, factor: float, percent: int) -> None:
    """Neither more images a day nor more of them in the reference; and no more images are needed with a larger one."""
    reference = single(
        beard=yes_no(rows * percent // 100, rows), hair=categorical_counts({"a": rows // 3 + 1, "b": rows})
    )
    larger = scaled(reference, factor, days=None)
    (now,) = planned(reference, rate, (Check.MODEL,)).checks
    (busier,) = planned(reference, rate * factor, (Check.MODEL,)).checks
    (known,) = planned(larger, rate, (Check.MODEL,)).checks
    assert days(busier) <= days(now)
    assert days(known) <= days(now)
    if now.images is not None:
        assert known.images is not None
        assert known.images <= now.images * 1.06
    if now.detects is not None:
        assert busier.detects is not None
        assert busier.detects.shift <= now.detects.shift * 1.001


@settings(max_examples=examples(0.5))
@given(ROWS, RATES, st.sampled_from([0.02, 0.05, 0.1]))
def test_each_remedy_helps(rows: int, rate: int, threshold: float) -> None:
    """With what a remedy says, a check decides that never does without it."""
    reference = Sample.of_rows(drawn(np.random.default_rng(rows), rows))
    for each in planned(reference, rate, given={"model": {"threshold": threshold}}).checks:
        assert each.window is None or not each.remedies
        for remedy in each.remedies:
            name = each.check.value
            changed: dict[str, object] = {"model": {"threshold": threshold}}
            if remedy.threshold is not None:
                assert remedy.threshold > each.threshold
                changed[name] = {"threshold": remedy.threshold}
            if remedy.widen_to is not None:
                changed["widen_to"] = f"{remedy.widen_to // DAY}d"
            other = reference
            if remedy.reference_days is not None:
                assert rows < remedy.reference_days * rate
                other = scaled(reference, remedy.reference_days * rate / rows, days=remedy.reference_days)
            after = {plan.check: plan for plan in planned(other, rate, given=changed).checks}
            assert after[each.check].window is not None


@settings(max_examples=examples(0.5))
@given(st.integers(200, 20_000), RATES, st.sampled_from(BOTH))
def test_its_days_are_those_of_the_ladder(rows: int, rate: int, check: Check) -> None:
    """Where the log holds as many rows as the plan takes it to, a check widens its window exactly that far."""
    reference = Sample.of_rows(drawn(np.random.default_rng(rows), rows))
    (plan,) = planned(reference, rate, (check,)).checks

    def read(rung: Rung) -> Sample:
        span = (NOW - rung.since) / DAY
        return scaled(reference, rate * span / rows, days=span)

    ladder = climbed(reference, read, (check,))
    longest = (NOW - ladder.longest.rung.since) / DAY
    assert longest == min(days(plan), DriftConfig().widen_to / DAY)


@pytest.mark.slow
@pytest.mark.long_proof
@pytest.mark.parametrize(("rows", "rate"), [(4_000, 250), (2_000, 600), (20_000, 60), (20_000, 2_000)])
def test_as_many_days_as_it_says_decide_a_quiet_night(rows: int, rate: int, at_length: bool) -> None:
    """At least nine nights of ten are decided, whatever the reference happens to hold."""
    random, decided, nights = np.random.default_rng(rate), 0, 0
    for _ in range(12 if at_length else 6):
        reference = Sample.of_rows(drawn(random, rows))
        plan = planned(reference, rate)
        assert all(each.window is not None for each in plan.checks)
        for _ in range(12):
            ladder = climbed(reference, lambda rung: window(random, rate, rung))
            assert ladder.longest.rung.since <= NOW - max(each.window or DAY for each in plan.checks)
            result = run_checks(
                reference,
                ladder.longest.sample,
                checks=BOTH,
                attributes=ATTRIBUTES,
                settings=DriftConfig(),
                at=NOW,
                reference_side=EMPTY,
                current_side=EMPTY,
                ladder=ladder,
            )
            nights += 1
            decided += result.verdict is not Verdict.UNDECIDED
    # Two standard errors of so many nights.
    assert decided / nights >= 0.9 - 2 * (0.09 / nights) ** 0.5


def window(random: np.random.Generator, rate: int, rung: Rung) -> Sample:
    span = (NOW - rung.since) / DAY
    return replace(Sample.of_rows(drawn(random, round(rate * span))), days=span)


def test_the_hardest_column_is_named_with_its_unit() -> None:
    reference = single(beard=yes_no(5_000, 10_000), rare=yes_no(10, 10_000))
    settings = DriftConfig()
    attributes = [binary("beard"), binary("rare")]
    plan = plan_decisions(reference, Rate(1_000, "log"), checks=[Check.MODEL], attributes=attributes, settings=settings)
    (each,) = plan.checks
    assert each.detects is not None
    assert (each.detects.column, each.detects.is_label) == ("beard", True)
    # 2.8 standard errors: 80 % power at a level of 5 %, two-sided.
    assert each.detects.shift == pytest.approx(2.8 * (0.25 * (1 / 1_000 + 1 / 10_000)) ** 0.5, rel=0.02)
    assert (each.rows, each.reference_rows) == (1_000, 10_000)


def test_too_few_rows_detect_nothing() -> None:
    (each,) = planned(single(beard=yes_no(500, 1_000)), 40, (Check.MODEL,)).checks
    assert (each.rows, each.detects) == (40, None)


def test_rare_labels_take_the_rows_that_detect_them() -> None:
    """No quiet run ever reaches a threshold with them, but the verdict asks for the smallest detectable shift too."""
    reference = single(beard=yes_no(2, 20_000))
    (each,) = planned(reference, 100, (Check.MODEL,), given={"model": {"threshold": 0.003}}).checks
    assert each.window is not None
    assert each.window > DAY * 2, "200 rows, which are min_rows"
    rows = round(100 * days(each))
    result = run_checks(
        reference,
        single(beard=yes_no(0, rows)),
        checks=[Check.MODEL],
        attributes=[binary("beard")],
        settings=DriftConfig.model_validate({"model": {"threshold": 0.003}}),
        at=NOW,
        reference_side=EMPTY,
        current_side=EMPTY,
    )
    assert result.verdict is Verdict.OK


def test_faces_per_image_count() -> None:
    """Two faces on each image are as many rows with half of the images; where they are alike they are worth as few."""
    single_faces = Sample.of_rows(Profile(10_000, 10_000, 10_000, {"beard": yes_no(3_000, 10_000)}))
    pairs = Sample.of_rows(Profile(5_000, 10_000, 20_000, {"beard": yes_no(3_000, 10_000)}))
    (one,), (two,) = (planned(sample, 1_000, (Check.MODEL,)).checks for sample in (single_faces, pairs))
    assert one.images is not None
    assert two.images is not None
    assert two.rows == 2 * (one.rows or 0)
    assert two.images == pytest.approx(one.images, rel=0.1)


def test_sources_are_planned_where_several_are_judged() -> None:
    """One camera of most rows is enough, a crowd of small ones takes longer than all rows together."""
    random = np.random.default_rng(4)
    assert planned(Sample.of_rows(drawn(random, 5_000)), 800).sources is None
    large = Sample.of_sources({"door": drawn(random, 9_000), "yard": drawn(random, 300)})
    many = Sample.of_sources({f"camera {at}": drawn(random, 900) for at in range(10)})
    one, ten = (planned(sample, 1_000).sources for sample in (large, many))
    assert one is not None
    assert ten is not None
    assert (one.judged, ten.judged) == (2, 10)
    assert one.window is not None
    assert ten.window is None or ten.window > one.window


def test_a_source_without_rows_on_one_side_is_undecided() -> None:
    random = np.random.default_rng(6)
    reference = Sample.of_sources({"door": drawn(random, 3_000), "yard": drawn(random, 3_000)})
    like = Sample.of_sources({"door": drawn(random, 3_000)})
    plan = plan_decisions(
        reference, Rate(5_000, "log"), checks=BOTH, attributes=ATTRIBUTES, settings=DriftConfig(), like=like
    )
    assert plan.sources is not None
    assert plan.sources.window is None, "half of the reference's rows are silent"


def test_without_a_rate_there_are_images_alone() -> None:
    plan = plan_decisions(
        single(beard=yes_no(3_000, 10_000)), None, checks=BOTH, attributes=ATTRIBUTES, settings=DriftConfig()
    )
    (each,) = plan.checks
    assert each.check is Check.MODEL, "there is no column of the images"
    assert each.images is not None
    assert (each.window, each.rows, each.detects, each.remedies, plan.sources) == (None, None, None, (), None)


AGE = AttributeConfig(name="age", output="out", kind="number")


def first_images(*attributes: AttributeConfig, **given: object) -> int | None:
    return images_of_first_check(attributes, DriftConfig.model_validate(given))


@given(st.floats(0.01, 0.2))
@settings(max_examples=examples(0.5))
def test_images_of_a_first_check_of_a_number_follow_its_law(threshold: float) -> None:
    """A tenth of the Kolmogorov distances of two times n rows, times the root of n/2, are above 1.2238."""
    needed = first_images(AGE, model={"threshold": threshold}, min_rows=1)
    assert needed is not None
    law = 2 * (1.2238 / threshold) ** 2
    assert law * 0.95 <= needed <= law * 1.1


def test_a_first_check_takes_min_rows_at_least() -> None:
    needed = first_images(AGE, model={"threshold": 0.3}, min_rows=500)
    assert needed is not None
    assert 500 <= needed <= 525
    assert first_images(AGE, model={"threshold": 0.0001}) is None


def test_more_attributes_take_more_images_at_first() -> None:
    one, two = (first_images(*ATTRIBUTES[:count]) for count in (1, 2))
    assert one is not None
    assert two is not None
    assert one < two < 2 * one


@given(st.integers(50, 5_000), st.sampled_from([1, 2, 4, 7, 14, 28]), st.integers(0, 2**32 - 1))
@settings(max_examples=examples(0.5))
def test_what_is_planned_before_there_is_data_is_not_denied_by_data(rate: int, length: int, seed: int) -> None:
    """Skewed labels and confidences that repeat need no more images than those that the first plan takes them for."""
    first, then = (
        plan_decisions(
            reference, Rate(rate, "given"), checks=(Check.MODEL,), attributes=ATTRIBUTES, settings=DriftConfig()
        )
        for reference in (
            first_rows(ATTRIBUTES, rate * length),
            Sample.of_rows(drawn(np.random.default_rng(seed), rate * length)),
        )
    )
    assert days(then.checks[0]) <= days(first.checks[0])
