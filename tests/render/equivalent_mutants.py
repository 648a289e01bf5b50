"""Mutants that do what their rule does, each with the reason in words.

A reason is for one mutant of one rule: its operator, what is changed, and the expression before it. A rule that is
written otherwise makes the entry a stranger, and a test says so.
"""

import re

from facemon.config.durations import parse_duration
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
_IMAGES = "images are counted in whole numbers, and there are some or none"
_MISSED = (
    "instance) (images_processed_total) and on (job, instance) (max_over_time(images_processed_total[w] offset n) >"
)
_ON = "on (job, instance)"
_WAS = _MISSED.partition("[w]")[0]
_JOINED_DISK = "the other side of the division has the same labels and is narrowed to ours"
_ALWAYS = "a sample is there whatever its value is, and no text shows it"

_HOLD = "for, keep_firing_for"
_GROUPING, _MATCHER = "label of a grouping dropped", "matcher"
_LOST = "model_loaded == 0) or (api_workers_configured unless"
_BY_CHECK, _DECIDED_SOURCE = "by (job, instance, check, model)", "drift_source_detected"
_ROWS = f"count {_BY_CHECK} (drift_undecided == 1) or ((sum {_BY_CHECK} (drift_source_rows"
_ROWS_UNLESS, _ON_SOURCE = f"{_ROWS} unless", "on (job, instance, check, model, source)"
_ROWS_DECIDED = f"{_ROWS_UNLESS} {_ON_SOURCE} {_DECIDED_SOURCE}) / sum {_BY_CHECK} (drift_source_rows"
_JUDGED = f"{_ROWS_DECIDED})) >= n)) or"
_RAN = f"{_JUDGED} count {_BY_CHECK} (drift_check_timestamp_seconds unless (drift_decided_timestamp_seconds"
_SCORED = "drift_score > n) and (drift_p_value"
_DECIDED = "(time() - drift_decided_timestamp_seconds"

UNTOLD = (
    "not equivalent but not tested: one of the alert's texts is a user's own template that Prometheus alone fills in, "
    "and promtool compares all texts of an alert or none"
)
UNTIMED = (
    "not equivalent but not tested: a time much shorter than the one in which the alert begins or ends "
    "takes thousands of evaluations of every rule"
)
_LONG = 50
"""How much shorter that is, at least."""


def _starts(name: str, stamp: str, label: str) -> tuple[tuple[str, tuple[str, str]], ...]:
    """What is before each part about what was never done, and the numbers of the changes that are named alike."""

    def first(matcher: str) -> tuple[str, tuple[str, str]]:
        return f"{stamp}_timestamp_seconds{matcher}) < -n)) or {label}", ("", "")

    if name != "DriftCheckStale":
        return (first('{command="…"}'),)
    further = (
        'drift_check_timestamp_seconds{check="…"}, "…", "…", "…", "…"), "…", "…", "…", "…")) or ' + label,
        ("", " (2)"),
    )
    # Where a single check is scheduled, every selector has its name.
    return first(""), first('{check="…"}'), further


EQUIVALENT: dict[tuple[str, str, str], str] = {
    ("HighLatency", _AGGREGATION, "sum after `histogram_quantile(n,` to avg"): _EVERY_BUCKET,
    ("HighLatency", _FUNCTION, "rate after `histogram_quantile(n, sum by (endpoint, le) (` to increase"): _SAME_LENGTH,
    ("ModelNotLoaded", _GROUPING, f"on (job, instance) after `{_LOST}` without job"): _ONE_JOB,
    ("ModelNotLoaded", _MATCHER, f'job="…" after `{_LOST} on (job, instance) model_loaded{{` dropped'): _JOINED,
    **{
        (name, _MATCHER, f'job="…" after `{f"{start}{before}"[-CONTEXT:]}` dropped'): _JOINED
        for name, start in (("DriftDetected", ""), ("DriftVerdict", "drift_detected == 1) unless ((("))
        for before in ("drift_score{", f"{_SCORED}{{", f"{_SCORED} <= n)) and ignoring (attribute) (({_DECIDED}{{",
                       f"{_SCORED} <= n)) and ignoring (attribute) (({_DECIDED}) < n) and ({_DECIDED}{{")
    },
    **{
        ("DiskFilling", _MATCHER, f"{matcher} after `{before}` dropped"): _JOINED_DISK
        for before in ("node_filesystem_avail_bytes{",
                       'node_filesystem_avail_bytes{fstype!~"…"} / node_filesystem_size_bytes{')
        for matcher in ('job="…"', 'fstype!~"…"')
    },
    **{
        (name, operator, f"{what} after `{before[-CONTEXT:]}` {change}"): reason
        for name, stamp, label in (("DriftCheckStale", "drift_check", "label_replace(label_replace("),
                                   ("ReferenceStale", "facemon_last_success", "label_replace("),
                                   ("AccuracyStale", "facemon_last_success", "label_replace("))
        for start, ends in _starts(name, stamp, label)
        for operator, what, before, change, reason in (
            (_GROUPING, _ON, f"{start}(max by (job, instance) (images_processed_total) and", f"without job{ends[0]}",
             _ONE_JOB),
            (_GROUPING, _ON, f"{start}(max by (job, {_MISSED} 0)) unless", f"without job{ends[1]}", _ONE_JOB),
            (_MATCHER, 'job="…"', f"{start}(max by (job, instance) (images_processed_total{{", "dropped" + ends[0],
             _JOINED),
            (_MATCHER, 'job="…"', f"{start}(max by (job, {_WAS}{{", "dropped" + ends[1], _JOINED),
            (_MATCHER, 'job="…"', f"{start}(max by (job, {_MISSED} 0)) unless {_ON} {stamp}_timestamp_seconds{{",
             "dropped" + ends[1], _JOINED),
        )
    },
    ("DriftUndecided", _AGGREGATION, "count to sum"): "every sample that is counted is 1",
    ("DriftUndecided", _GROUPING, f"{_ON_SOURCE} after `{_ROWS_UNLESS[-CONTEXT:]}` without job"): _ONE_JOB,
    **{
        ("DriftUndecided", _MATCHER, f'job="…" after `{before[-CONTEXT:]}` dropped'): _JOINED
        for before in (f"{_ROWS}{{", f"{_ROWS_UNLESS} {_ON_SOURCE} {_DECIDED_SOURCE}{{",
                       f"{_ROWS_DECIDED}{{", f"{_RAN}{{", f"{_RAN} >= drift_check_timestamp_seconds{{")
    },
    ("DriftCheckStale", _NUMBER, f"0 after `{_MISSED}` a little more"): _IMAGES,
    ("DriftCheckStale", _NUMBER, f"0 after `{_MISSED}` a little more (2)"): _IMAGES,
    ("ReferenceStale", _NUMBER, f"0 after `{_MISSED}` a little more"): _IMAGES,
    ("AccuracyStale", _NUMBER, f"0 after `{_MISSED}` a little more"): _IMAGES,
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

_TIMES_ZERO = "it is multiplied by 0, and the division drops stores without requests that count"
_ERROR_RATIO, _BAD_SHARE = "facemon:api_requests:error_ratio", "bad share"


def _multiplied(
    names: tuple[str, ...], endpoint: str, matcher: str
) -> dict[tuple[str, str, str], str]:  # fmt: skip
    """The changes of the 0 of a store without errors; `endpoint` is what `matcher` is when it follows another one."""
    errors = f'sum(rate(api_requests_total{{status="…"{endpoint}}}[w])) or ('
    requests = "sum(rate(api_requests_total{"
    return {
        (name, operator, f"{what} after `{(errors + before)[-CONTEXT:]}` {change}"): _TIMES_ZERO
        for name in names
        for operator, what, before, changes in (
            (_WINDOW, "[w]", f'{requests}status!="…"{endpoint}}}', ("a quarter longer", "a quarter shorter")),
            (_AGGREGATION, "sum", "", ("to max", "to min", "to avg", "to count")),
            (_FUNCTION, "rate", "sum(", ("to increase", "to delta")),
            (_MATCHER, 'job="…"', requests, ("dropped",)),
            (_MATCHER, 'status!="…"', requests, ("dropped",)),
            (_MATCHER, matcher, f'{requests}status!="…",', ("dropped",)),
        )
        for change in changes
    }


EQUIVALENT_WITH_LABELS: dict[tuple[str, str, str], str] = {
    **_multiplied((_ERROR_RATIO, _BAD_SHARE), "", 'endpoint!~"…"'),
    **_multiplied((_BAD_SHARE,), ', endpoint="…"', 'endpoint="…"'),
}
"""Where metrics.labels tell stores apart, so that no errors are a 0 for each store."""

_ANY_DIVISOR = "with a limit of 0 a share is above it when there is any error, whatever it is divided by"
_ANY_ERROR = "with a limit of 0 a share is above it when there is any error, however the errors are counted"
_RATE = 'rate(api_requests_total{status="…"}[w])'
_OF_EVERY = f"sum({_RATE}) / sum(rate(api_requests_total"

_PENDING = "prometheus_remote_storage_samples_pending"
_SENT = "prometheus_remote_storage_queue_highest_sent_timestamp_seconds"
_ON_QUEUE = f"{_SENT}) > n) and on (job, instance, remote_name, url) ("
EQUIVALENT_REMOTE: dict[tuple[str, str, str], str] = {
    (
        "RemoteWriteBehind",
        _GROUPING,
        f"on (job, instance, remote_name, url) after `{f'time() - {_SENT}) > n) and'[-CONTEXT:]}` without job",
    ): _ONE_JOB,
    **{
        ("RemoteWriteBehind", _MATCHER, f'job="…" after `{before[-CONTEXT:]}` dropped'): _JOINED
        for before in (f"time() - {_SENT}{{", f"{_ON_QUEUE}{_PENDING}{{")
    },
    (
        "RemoteWriteBehind",
        _NUMBER,
        f"0 after `_timestamp_seconds) > n) and on (job, instance, remote_name, url) ({_PENDING} >` a little more",
    ): "samples that wait are counted in whole numbers",
}
"""Where there is a remote storage."""

_STAMP = "facemon_last_success_timestamp_seconds"
_AGE = f'{_STAMP}{{command="…"}}'
_OLD_EXPORT = f"{_AGE}) > n) or ((time() - {_AGE}) < -n)) unless"
_MTIME = "node_textfile_mtime_seconds{"
_OLD_FILE = f"{_OLD_EXPORT} {_ON} (((time() - {_MTIME}"
_OLD_FILES = f"{_OLD_EXPORT} {_ON} (count by (job, instance) (((time() - {_MTIME}"
_COUNTED_FILE = f"""{_OLD_FILES}file=~"…"}}) > n) or ((time() - {_MTIME}"""
_COUNTED_EXPORT = f"""{_COUNTED_FILE}file=~"…"}}) < -n)) >= count by (job, instance) (((time() - {_STAMP}{{"""


def _joined_with_exports(name: str, stamp: str, ignored: str, own: str) -> dict[tuple[str, str, str], str]:
    """The job of an export and of the stamp that it brought, in both comparisons of how old that was."""
    joined = f"{_AGE} - ignoring ({ignored}) group_right () {stamp}"
    before = (f"{_STAMP}{{", f"{joined}{{", f"{joined}{own}) > n) or (({_STAMP}{{")
    changes = [(each, "dropped") for each in before] + [(before[1], "dropped (2)")]
    return {(name, _MATCHER, f'job="…" after `{each[-CONTEXT:]}` {change}'): _JOINED for each, change in changes}


EQUIVALENT_EXPORTED: dict[tuple[str, str, str], str] = {
    **_joined_with_exports("DriftCheckStale", "drift_check_timestamp_seconds", "command, check, model", ""),
    **_joined_with_exports("DriftCheckStale", "drift_check_timestamp_seconds", "command, check, model", '{check="…"}'),
    **_joined_with_exports("ReferenceStale", _STAMP, "command", '{command="…"}'),
    **_joined_with_exports("AccuracyStale", _STAMP, "command", '{command="…"}'),
    ("ExportStale", _GROUPING, f"{_ON} after `{_OLD_EXPORT[-CONTEXT:]}` without job"): _ONE_JOB,
    ("ExportStale", _MATCHER, f'job="…" after `{_OLD_FILE[-CONTEXT:]}` dropped'): _JOINED,
    (
        "ExportStale",
        _MATCHER,
        f'job="…" after `{f"""{_OLD_FILE}file=~"…"}}) > n) or ((time() - {_MTIME}"""[-CONTEXT:]}` dropped',
    ): _JOINED,
    **{
        ("ExportStale", _MATCHER, f'job="…" after `{before[-CONTEXT:]}` dropped{number}'): _JOINED
        for before, number in (
            (_OLD_FILES, ""),
            (_COUNTED_FILE, ""),
            (_COUNTED_EXPORT, ""),
            (f"""{_COUNTED_EXPORT}command="…"}}) > n) or ((time() - {_STAMP}{{""", " (2)"),
        )
    },
}
"""Where the store's metrics arrive by a textfile; of several stores, old textfiles and exports are counted."""

EQUIVALENT_UNSEEN: dict[tuple[str, str, str], str] = {
    ("DriftUndecided", _AGGREGATION, "count to max"):
        "the same checks are undecided, only the number of their columns is lost, and no text of the alert shows it",
    **{
        ("DriftUndecided", _AGGREGATION, f"count after `{_JUDGED[-CONTEXT:]}` to {other}"):
            "the same checks are undecided, whatever becomes of the times of their runs, and no text shows it"
        for other in ("sum", "max")
    },
}  # fmt: skip
"""Where no text of the alert shows its value."""

_WINDOW_OF_ALL = f'[w] after `{_OF_EVERY}{{status!="…"}}` a quarter shorter'
EQUIVALENT_SHOWN_AT_ZERO: dict[tuple[str, str, str], str] = {
    ("HighErrorRate", _WINDOW, _WINDOW_OF_ALL):
        f"{_ANY_DIVISOR}; the share in the text is another one only while traffic changes",
}  # fmt: skip
"""Where the limit is 0 and a text of the alert shows its value."""

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

_TARGET_LABEL = re.compile(r'^(?:namespace|team|_target)="…"(?= after .* dropped(?: \(2\))?$)')
_SAME_PLACE = (
    "not equivalent but not tested: what is pushed is joined by metrics.labels, and a target of others that has the "
    "same values of all of them would have to be there"
)
PUSHED_OF_TARGETS = {
    re.compile(r"(?:PushStale|ExportStale) .* after `.*push_time_seconds\{` dropped"): _JOINED,
    re.compile(
        r"PushStale .* after `.* and on \(job, instance\) facemon_last_success_timestamp_seconds\{` dropped"
    ): _JOINED,
    re.compile(r"\w+Stale .* after `.* and on \((?!job).*\(images_processed_total\{` dropped(?: \(2\))?"): _SAME_PLACE,
    re.compile(r"\w+Stale .* after `.* unless on \((?!job).*_seconds\{` dropped(?: \(2\))?"): _SAME_PLACE,
}
"""Of labels that only targets of ours have, where a Pushgateway brings the metrics: selectors then have no job."""
_LIMIT_OF_ZERO = re.compile(r"> 0(\)|$)")
_LIMIT_AT_THE_END = re.compile(r"(score (?:>|<=)) [01](?=\))")
"""Of drift: 0 and 1 are left as they are in the names of changes, whatever they mean."""
_WINDOWS = re.compile(r"\[(\w+)\]")
_STORE = r"`[^`]*\(images_processed_total\) and on \([^)]*\) "
_KINDS = {
    re.compile(r"\w+BudgetFast"): "BudgetFast",
    re.compile(r"\w+BudgetSlow"): "BudgetSlow",
    re.compile(r"objective:bad_share:rate\w+"): "bad share",
}


def reason_for(name: str, mutant: Mutant) -> str | None:
    """Why the mutant of this rule is equivalent; None if it is not said to be."""
    reasons = {**EQUIVALENT, **EQUIVALENT_REMOTE, **EQUIVALENT_EXPORTED, **EQUIVALENT_WITH_LABELS}
    if _is_untimed(mutant):
        return UNTIMED
    is_seen = "$value" in repr(mutant.rule)
    if not is_seen:
        reasons |= EQUIVALENT_UNSEEN
    if _LIMIT_OF_ZERO.search(mutant.rule["expr"]):
        reasons |= EQUIVALENT_SHOWN_AT_ZERO if is_seen else EQUIVALENT_AT_ZERO
    # A label of all targets is chosen by beside the job, and by the same right.
    change = _LIMIT_AT_THE_END.sub(r"\1 n", _TARGET_LABEL.sub('job="…"', mutant.change))
    # What tells the stores apart is another on a Pushgateway, and means the same.
    of_store = re.sub(_STORE, f"`{_MISSED.partition('(max')[0]}", change)
    known = ((kind_of(name), mutant.operator, each) for each in (change, of_store))
    found = next((reasons[each] for each in known if each in reasons), None)
    return found or (_reason_of_pushed(name, mutant) if change.startswith('job="…"') else None)


def _reason_of_pushed(name: str, mutant: Mutant) -> str | None:
    if mutant.operator != _MATCHER or not _TARGET_LABEL.match(mutant.change):
        return None
    return next((why for form, why in PUSHED_OF_TARGETS.items() if form.fullmatch(f"{name} {mutant.change}")), None)


def _is_untimed(mutant: Mutant) -> bool:
    """Whether a time was changed that is much shorter than what its tests have to wait for besides."""
    key, _, _ = mutant.change.partition(" ")
    if mutant.operator != _HOLD or key not in mutant.original:
        return False
    times = {each: parse_duration(mutant.original.get(each, "0s")) for each in ("for", "keep_firing_for")}
    own = times.pop(key)
    windows = (parse_duration(match[1]) for match in _WINDOWS.finditer(mutant.original["expr"]))
    return _LONG * own < max((*times.values(), *windows))


def kind_of(name: str) -> str:
    """The rule's name; rules of objectives are alike, whatever the objective is called."""
    return next((kind for pattern, kind in _KINDS.items() if pattern.fullmatch(name)), name)
