"""promtool unit tests for every alert: each scenario on a timeline, and silence where there is no data.

A threshold is tested at one moment, to the last bit, by whether the alert is pending; that it holds for its time, and
what it says then, by the scenario that goes from quiet to firing and back.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, assert_never

from facemon.config.document import Config
from facemon.render.alert import Alert, rule
from facemon.render.annotation import expand
from facemon.render.promql import quoted
from facemon.render.rule_test import (
    DEFAULT_TURN,
    Phases,
    RuleTest,
    after,
    expression_check,
    input_series,
    milliseconds,
    time_text,
    turn_of_hold,
    turn_of_window,
    turn_within,
    up_to,
    window_turns,
)
from facemon.render.scenario import Burst, Check, Firing, Growth, Scenario, Span, series_text

_MOST_TURNS = 50
"""Within one test: promtool evaluates every rule at each, and there are some hundred tests."""
_LEAST_TURNS_KEPT = 4
"""An alert on rates that is kept for at least so many turns is distinguished from one that is kept half as long."""
_MOST_FINE_TURNS = 1000
"""Within the one test of an alert that tells a time much shorter than its `for`."""


def alert_tests(alerts: Iterable[Alert], config: Config) -> Iterator[RuleTest]:
    """The test groups of all `alerts`: each one's scenarios, and that none of them fires without data."""
    tested = [alert for alert in alerts if alert.scenarios]
    for alert in tested:
        yield from (test for scenario in alert.scenarios for test in _tests(alert, scenario, config))
    silent = sorted((alert for alert in tested if not alert.fires_without_data), key=_turn)
    for turn, some in groupby(silent, key=_turn):
        yield _no_data(turn, list(some))


def _tests(alert: Alert, scenario: Scenario, config: Config) -> Iterator[RuleTest]:
    window = milliseconds(config.prometheus.window)
    match scenario.span:
        case Span.HELD:
            yield from (_held(alert, scenario, turn, config) for turn in _turns(alert, scenario))
        case Span.MOMENT:
            yield _moment(alert, scenario, window)
        case Span.WINDOW | Span.NEXT_WINDOW:
            yield _window(alert, scenario, window)
        case Span.MODELLED:
            yield _modelled(alert, scenario, config)
        case _:
            assert_never(scenario.span)


def _held(alert: Alert, scenario: Scenario, turn: int, config: Config) -> RuleTest:
    held, kept = milliseconds(alert.for_), milliseconds(alert.keep_firing_for)
    window = milliseconds(config.prometheus.window)
    grows = _grows(scenario)
    always = not scenario.signals
    bad = 0 if always else turn
    fires = bad + after(held, turn)
    end = fires + turn
    if grows:
        # Where the window is too long for that, another scenario alone tells that the alert ends with it.
        end = after(fires + window, turn) + turn if window <= _MOST_TURNS * turn else fires
    if kept > _MOST_TURNS * turn:
        # A coarser test tells how the alert ends.
        end = fires
    gone, end = end, end + after(kept, turn) if end > fires else end
    spacing = min(turn, turn_of_window(window) if grows else DEFAULT_TURN)
    checks = []
    if fires:
        checks.append(_check(alert, bad + up_to(held, turn) if held else fires - turn, None))
    checks.append(_firing_check(alert, scenario.fires, fires, config))
    if not always and gone > fires:
        if kept and not grows:
            checks.append(_state_check(alert, gone + up_to(kept, turn), scenario.fires))
        elif kept >= _LEAST_TURNS_KEPT * turn:
            # The last rate is that of the last two samples; windows of Prometheus 3 are open at their begin.
            last = up_to(fires - spacing + window + 1, turn) - turn
            checks.append(_state_check(alert, last + kept // turn * turn, scenario.fires))
        checks.append(_check(alert, end, None))
    # A gauge is bad until it is gone, whether the rules are evaluated with each turn or more often.
    last_bad = fires if grows or gone == fires else gone - spacing
    return RuleTest(turn, end, _group(alert, scenario, Phases(spacing, bad, last_bad, end), checks))


def _moment(alert: Alert, scenario: Scenario, window: int) -> RuleTest:
    counts = any(isinstance(signal, Burst) for signal in scenario.signals)
    turn = turn_of_window(window) if counts else DEFAULT_TURN
    at = turn if counts else 0
    pending = alert.for_.total_seconds() > 0
    checks = [_state_check(alert, at, scenario.fires, pending=pending, besides=scenario.besides)]
    return RuleTest(turn, at, _group(alert, scenario, Phases(turn, at, at, at), checks))


def _window(alert: Alert, scenario: Scenario, window: int) -> RuleTest:
    turn, last, next_ = window_turns(window)
    soon = scenario.fires if scenario.span is Span.WINDOW else None
    late = scenario.fires if scenario.span is Span.NEXT_WINDOW else None
    held = milliseconds(alert.for_)
    checks = [_state_check(alert, at, soon, pending=at - turn < held) for at in (turn, last)]
    if soon and last - turn >= held:
        # It fires by then, and on for some time.
        next_ += after(milliseconds(alert.keep_firing_for), turn)
    checks.append(_state_check(alert, next_, late, pending=held > 0))
    return RuleTest(turn, next_, _group(alert, scenario, Phases(turn, turn, turn, next_), checks))


def _modelled(alert: Alert, scenario: Scenario, config: Config) -> RuleTest:
    turn, spacing = turn_within(milliseconds(scenario.grain), 1), milliseconds(scenario.scrape)
    times, held = [_evaluation(check, turn) for check in scenario.checks], milliseconds(alert.for_)
    kept, has_fired = after(milliseconds(alert.keep_firing_for), turn), False
    end = max(times) + kept + turn
    checks = []
    for ends, check in zip(times, scenario.checks, strict=True):
        # What fires goes on for some time after its condition has ended.
        at = ends + (kept if has_fired and check.since is None and not check.before else 0)
        since = at if check.since is None else milliseconds(check.since)
        has_fired = has_fired or (check.since is not None and held <= at - since)
        fires = None if check.since is None else scenario.fires
        if at - after(since, turn) < held <= at - since:
            checks.append(_condition_check(alert, at, fires))
        elif at - since < held:
            checks.append(_state_check(alert, at, fires, pending=True))
        else:
            checks.append(_firing_check(alert, fires, at, config))
    return RuleTest(turn, end, _group(alert, scenario, Phases(spacing, 0, end, end), checks))


def _evaluation(check: Check, turn: int) -> int:
    at = milliseconds(check.at)
    return up_to(at, turn) if check.before else after(at, turn)


def _no_data(turn: int, alerts: list[Alert]) -> RuleTest:
    at = max(after(milliseconds(alert.for_), turn) for alert in alerts) + turn
    group = {
        "name": "no data: silence",
        "interval": time_text(turn),
        "input_series": [],
        "alert_rule_test": [_check(alert, at, None) for alert in alerts],
    }
    return RuleTest(turn, at, group)


def _turns(alert: Alert, scenario: Scenario) -> Iterator[int]:
    """How fine the tests are: a second one tells how long an alert is kept, where its `for` is far from that."""
    turn, held, kept = _turn(alert), milliseconds(alert.for_), milliseconds(alert.keep_firing_for)
    yield turn
    if kept and not _grows(scenario):
        other = turn_of_hold(kept)
        if kept > _MOST_TURNS * turn or (other < turn and held + kept <= _MOST_FINE_TURNS * other):
            yield other


def _grows(scenario: Scenario) -> bool:
    return any(isinstance(signal, Growth) for signal in scenario.signals)


def _turn(alert: Alert) -> int:
    """Fine enough for the time that it must hold, and for the one that it is kept where that is not much shorter."""
    held, kept = milliseconds(alert.for_), milliseconds(alert.keep_firing_for)
    turn = turn_of_hold(held)
    finer = min(turn, turn_of_hold(kept)) if kept else turn
    return finer if held + kept <= _MOST_TURNS * finer else turn


def _group(alert: Alert, scenario: Scenario, phases: Phases, checks: list[dict[str, Any]]) -> dict[str, Any]:
    group: dict[str, Any] = {
        "name": f"{alert.name}: {scenario.title}",
        "interval": time_text(phases.spacing),
        "input_series": input_series(scenario.signals, phases),
    }
    for kind, key in (("alert_rule_test", "alertname"), ("promql_expr_test", "expr")):
        if some := [check for check in checks if key in check]:
            group[kind] = some
    return group


def _check(alert: Alert, at: int, fires: dict[str, Any] | None) -> dict[str, Any]:
    return {"eval_time": time_text(at), "alertname": alert.name, "exp_alerts": [fires] if fires else []}


def _firing_check(alert: Alert, fires: Firing | None, at: int, config: Config) -> dict[str, Any]:
    """The alert as a person is told of it; its labels only where Prometheus alone can tell what it says."""
    if fires is None:
        return _check(alert, at, None)
    annotations = rule(alert, config)["annotations"]
    texts = {name: expand(text, fires.labels, fires.value) for name, text in annotations.items()}
    if None in texts.values():
        return _state_check(alert, at, fires, pending=False)
    return _check(alert, at, {"exp_labels": _labels(alert, fires), "exp_annotations": texts})


def _state_check(
    alert: Alert, at: int, fires: Firing | None, *, pending: bool = False, besides: tuple[Firing, ...] = ()
) -> dict[str, Any]:
    """Whether the condition holds, as Prometheus shows it of every alert that is pending or firing."""
    samples, state = [], "pending" if pending else "firing"
    for each in (*(() if fires is None else (fires,)), *besides):
        labels = {"alertname": alert.name, "alertstate": state, **_labels(alert, each)}
        inside = ", ".join(f"{name}={quoted(value)}" for name, value in labels.items())
        samples.append((f"ALERTS{{{inside}}}", 1.0))
    return expression_check(at, f"ALERTS{{alertname={quoted(alert.name)}}}", samples)


def _condition_check(alert: Alert, at: int, fires: Firing | None) -> dict[str, Any]:
    """Whether the condition holds, where it depends on how often rules are evaluated whether the alert fires yet."""
    labels = {"alertname": alert.name, **_labels(alert, fires)} if fires else {}
    samples = [(series_text("", labels), 1.0)] if fires else []
    return expression_check(at, f"sum without (alertstate) (ALERTS{{alertname={quoted(alert.name)}}})", samples)


def _labels(alert: Alert, fires: Firing) -> dict[str, str]:
    """The firing alert's labels; an empty one is none."""
    own = {name: expand(text, fires.labels, fires.value) or "" for name, text in alert.rule_labels.items()}
    return {name: value for name, value in {**fires.labels, **own}.items() if value}
