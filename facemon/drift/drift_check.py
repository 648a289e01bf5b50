"""A whole drift check: the data and the model check on two samples, and the verdict over all."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from facemon.config.drift import DriftConfig
from facemon.config.model import AttributeConfig
from facemon.drift.compared_columns import compared_columns
from facemon.drift.comparison import compare
from facemon.drift.sample import Sample
from facemon.values.drift_result import Check, CheckResult, DriftResult, Side, overall

LABELS_NOTE = "The reference holds true labels, so the model's own bias counts as drift."
EVIDENTLY_NOTE = "Evidently's verdict is for its report only: it decides when it is asked for by name."


def run_checks(
    reference: Sample,
    current: Sample,
    *,
    checks: Collection[Check],
    attributes: Sequence[AttributeConfig],
    settings: DriftConfig,
    at: datetime,
    reference_side: Side,
    current_side: Side,
    model: str | None = None,
    source: str | None = None,
    evidently: CheckResult | None = None,
    evidently_decides: bool = False,
    notes: Sequence[str] = (),
) -> DriftResult:
    """Run the data and model checks that are asked for and join Evidently's outcome where there is one.

    `evidently` is what `evidently_report.run_evidently` found; it takes part in the verdict only where
    `evidently_decides`. The rows of both sides are set from the samples.
    """
    outcomes = {
        check: compare(
            reference,
            current,
            columns=compared_columns(check, attributes, reference, current, settings),
            settings=settings,
            check=check,
        )
        for check in (Check.DATA, Check.MODEL)
        if check in checks
    }
    deciding = [outcome.verdict for outcome in outcomes.values()]
    sentences = [LABELS_NOTE] if reference_side.kind == "labels" else []
    if evidently is not None:
        outcomes[Check.EVIDENTLY] = evidently
        if evidently_decides:
            deciding.append(evidently.verdict)
        else:
            sentences.append(EVIDENTLY_NOTE)
    return DriftResult(
        verdict=overall(deciding),
        at=at,
        reference=replace(reference_side, rows=reference.rows),
        current=replace(current_side, rows=current.rows),
        checks=outcomes,
        model=model,
        source=source,
        notes=(*sentences, *notes),
    )
