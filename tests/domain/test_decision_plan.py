"""The plan as an object for JSON."""

import json
from datetime import timedelta

from facemon.domain.decision_plan import CheckPlan, DecisionPlan, Detected, Rate, Remedy, SourcesPlan
from facemon.domain.drift_result import Check

DAY = timedelta(days=1)


def test_a_plan_as_json() -> None:
    check = CheckPlan(
        Check.MODEL, 0.05, 120, 5_000, Detected("gender", 0.08, is_label=True), 433, None, (Remedy(widen_to=28 * DAY),)
    )
    plan = DecisionPlan(DAY, 14 * DAY, 200, Rate(120.0, "log"), (check,), SourcesPlan(3, 7 * DAY))
    assert json.loads(json.dumps(plan.document())) == {
        "images_per_day": 120.0,
        "rate_of": "log",
        "window": "24h",
        "widen_to": "14d",
        "checks": {
            "model": {
                "threshold": 0.05,
                "rows": 120,
                "reference_rows": 5_000,
                "detects": {"column": "gender", "shift": 0.08, "unit": "share"},
                "images": 433,
                "days": None,
                "remedies": [{"reference_days": None, "threshold": None, "widen_to": "28d"}],
                "few_sources": None,
            }
        },
        "sources": {"judged": 3, "days": 7.0, "remedies": [], "unknown": 0},
    }


def test_a_plan_without_a_rate_as_json() -> None:
    document = DecisionPlan(DAY, 14 * DAY, 200, None, ()).document()
    assert (document["images_per_day"], document["rate_of"], document["sources"]) == (None, None, None)
