"""Mutants that do what their rule does, each with the reason in words.

A reason is for one mutant of one rule: its operator, what is changed, and the expression before it. A rule that is
written otherwise makes the entry a stranger, and a test says so.
"""

import re

from tests.render.rule_mutations import CONTEXT, Mutant

_NUMBER, _AGGREGATION, _FUNCTION = "number, 1 % more or less", "aggregation", "function"
_WINDOW = "window, a quarter more or less"
_EVERY_BUCKET = "a quantile stays the same when every bucket is scaled alike, and every instance has every bucket"
_SAME_LENGTH = "a quantile stays the same when every bucket is divided by the length of the same window, or is not"
_WHOLE = "failures are counted in whole numbers, and an increase is never less than what was counted"
_NONE_NEGATIVE = "no increase is negative, so that some are above 0 when their sum, their largest or their mean is"
_PER_SECOND = "per second or not, what is above 0 stays above 0"
_ONE_JOB = "every selector of the rule names one job, so that the label is the same on both sides"
_JOINED = "what it is joined with on the job and the instance is of a target of ours, and no two targets share both"
_ALWAYS = "a sample is there whatever its value is, and no text shows it"

_GROUPING, _MATCHER = "label of a grouping dropped", "matcher"
_LOST = "model_loaded == 0) or (api_workers_configured unless"
_COLUMN, _CHECK = "job, instance, attribute, check, model", "job, instance, check, model"
_SCORED = f"drift_score > n) and on ({_COLUMN}) (drift_p_value"
_DECIDED = "(time() - drift_decided_timestamp_seconds"

UNTOLD = (
    "not equivalent but not tested: one of the alert's texts is a user's own template that Prometheus alone fills in, "
    "and promtool compares all texts of an alert or none"
)

EQUIVALENT: dict[tuple[str, str, str], str] = {
    ("HighLatency", _AGGREGATION, "sum after `histogram_quantile(n,` to avg"): _EVERY_BUCKET,
    ("HighLatency", _FUNCTION, "rate after `histogram_quantile(n, sum by (endpoint, le) (` to increase"): _SAME_LENGTH,
    ("ModelNotLoaded", _GROUPING, f"on (job, instance) after `{_LOST}` without job"): _ONE_JOB,
    ("ModelNotLoaded", _MATCHER, f'job="…" after `{_LOST} on (job, instance) model_loaded{{` dropped'): _JOINED,
    ("DriftDetected", _GROUPING, f"on ({_COLUMN}) after `drift_score > n) and` without job"): _ONE_JOB,
    ("DriftDetected", _GROUPING, f"on ({_CHECK}) after `{_SCORED} <= n)) and` without job"): _ONE_JOB,
    **{
        ("DriftDetected", _MATCHER, f'job="…" after `{before[-CONTEXT:]}` dropped'): _JOINED
        for before in ("drift_score{", f"{_SCORED}{{",
                       f"{_SCORED} <= n)) and on ({_CHECK}) (({_DECIDED}{{",
                       f"and on ({_CHECK}) (({_DECIDED}) < n) and ({_DECIDED}{{")
    },
    ("DriftUndecided", _AGGREGATION, "count to sum"): "every sample that is counted is 1",
    ("Watchdog", _NUMBER, "1 after `vector(` a little more"): _ALWAYS,
    ("Watchdog", _NUMBER, "1 after `vector(` a little less"): _ALWAYS,
    ("endpoint:api_request_latency_seconds:p95", _AGGREGATION, "sum after `histogram_quantile(n,` to avg"):
        _EVERY_BUCKET,
    ("endpoint:api_request_latency_seconds:p95", _FUNCTION,
     "rate after `histogram_quantile(n, sum by (endpoint, le) (` to increase"): _SAME_LENGTH,
    ("model:model_inference_latency_seconds:p95", _AGGREGATION, "sum after `histogram_quantile(n,` to avg"):
        _EVERY_BUCKET,
    ("model:model_inference_latency_seconds:p95", _FUNCTION,
     "rate after `histogram_quantile(n, sum by (model, le) (` to increase"): _SAME_LENGTH,
    **{
        (name, operator, change): reason
        for name, metric in (("RulesFailing", "prometheus_rule_evaluation_failures_total"),
                             ("NotificationsFailing", "alertmanager_notifications_failed_total"))
        for operator, change, reason in (
            (_NUMBER, f"0 after `sum by (job, instance) (increase({metric}[w])) >` a little more", _WHOLE),
            (_AGGREGATION, "sum to max", _NONE_NEGATIVE),
            (_AGGREGATION, "sum to avg", _NONE_NEGATIVE),
            (_FUNCTION, "increase after `sum by (job, instance) (` to rate", _PER_SECOND),
        )
    },
}  # fmt: skip

_ANY_DIVISOR = "with a limit of 0 a share is above it when there is any error, whatever it is divided by"
_ANY_ERROR = "with a limit of 0 a share is above it when there is any error, however the errors are counted"
_RATE = 'rate(api_requests_total{status="…"}[w])'
_OF_EVERY = f"sum({_RATE}) / sum(rate(api_requests_total"

EQUIVALENT_UNSEEN: dict[tuple[str, str, str], str] = {
    ("DriftUndecided", _AGGREGATION, "count to max"):
        "the same checks are undecided, only the number of their columns is lost, and no text of the alert shows it",
}  # fmt: skip
"""Where no text of the alert shows its value."""

EQUIVALENT_AT_ZERO: dict[tuple[str, str, str], str] = {
    **{
        ("HighErrorRate", _WINDOW, f'[w] after `{_OF_EVERY}{{status!="…"}}` {change}'): _ANY_DIVISOR
        for change in ("a quarter longer", "a quarter shorter")
    },
    **{
        ("HighErrorRate", _AGGREGATION, f"sum after `sum({_RATE}) /` to {other}"): _ANY_DIVISOR
        for other in ("max", "min", "avg", "count")
    },
    ("HighErrorRate", _FUNCTION, f"rate after `sum({_RATE}) / sum(` to increase"): _ANY_DIVISOR,
    ("HighErrorRate", "arithmetic", f"/ after `sum({_RATE})` to *"): _ANY_DIVISOR,
    ("HighErrorRate", "operand dropped", f"/ after `sum({_RATE})`: the divisor dropped"): _ANY_DIVISOR,
    **{
        ("HighErrorRate", _MATCHER, f"{matcher} after `{_OF_EVERY}{before}` dropped"): _ANY_DIVISOR
        for matcher, before in (('job="…"', "{"), ('status!="…"', "{"), ('endpoint!~"…"', '{status!="…",'))
    },
    ("HighErrorRate", _AGGREGATION, "sum to max"): _ANY_ERROR,
    ("HighErrorRate", _AGGREGATION, "sum to avg"): _ANY_ERROR,
    ("HighErrorRate", _FUNCTION, "rate after `sum(` to increase"): _ANY_ERROR,
}
"""Where the limit is 0 and no text of the alert shows its value."""

_TARGET_LABEL = re.compile(r'^(?:namespace|team)="…"(?= after .* dropped$)')
_LIMIT_OF_ZERO = re.compile(r"> 0(\)|$)")
_KINDS = {
    re.compile(r"\w+BudgetFast"): "BudgetFast",
    re.compile(r"\w+BudgetSlow"): "BudgetSlow",
    re.compile(r"objective:bad_share:rate\w+"): "bad share",
}


def reason_for(name: str, mutant: Mutant) -> str | None:
    """Why the mutant of this rule is equivalent; None if it is not said to be."""
    reasons = dict(EQUIVALENT)
    if "$value" not in repr(mutant.rule):
        reasons |= EQUIVALENT_UNSEEN
        if _LIMIT_OF_ZERO.search(mutant.rule["expr"]):
            reasons |= EQUIVALENT_AT_ZERO
    # A label of all targets is chosen by beside the job, and by the same right.
    change = _TARGET_LABEL.sub('job="…"', mutant.change)
    return reasons.get((kind_of(name), mutant.operator, change))


def kind_of(name: str) -> str:
    """The rule's name; rules of objectives are alike, whatever the objective is called."""
    return next((kind for pattern, kind in _KINDS.items() if pattern.fullmatch(name)), name)
