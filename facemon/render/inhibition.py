"""What keeps silent because something worse is known.

To Alertmanager two alerts that both lack a label have the same value of it. So a rule without labels to compare is
written only where the one alert explains the other wherever that comes from, and never between alerts of unlike things.
Names do not suffice: other teams that share the Alertmanager have alerts called TargetDown or HighErrorRate too, but
without the label `area`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from facemon.config.alerts import objective_alerts
from facemon.config.document import Config
from facemon.config.quantities import Severity, at_most
from facemon.render.alert import Alert
from facemon.render.alert_labels import label_names
from facemon.render.api_alerts import is_only_api
from facemon.render.promql import TARGET_LABELS, differs, equals, one_of
from facemon.render.routing import WATCHDOG

_OF_ONE_THING = ("api", "drift")
"""Areas whose alerts speak of one thing; the stack's parts, objectives and a user's own alerts are unrelated."""
_API = ("api", "objectives")

Rule = dict[str, Any]


def inhibit_rules(config: Config, alerts: Sequence[Alert]) -> list[Rule]:
    """The `inhibit_rules` of alertmanager.yml, those left out whose alerts are not rendered."""
    by_name = {alert.name: alert for alert in alerts}
    rules = [_critical_over_warning(config)]
    if model := by_name.get("ModelNotLoaded"):
        rules += _over_the_api(config, model, alerts)
    if down := by_name.get("TargetDown"):
        rules.append(_over_the_target(down))
    rules += _fast_over_slow(config, by_name)
    return rules


def _critical_over_warning(config: Config) -> Rule:
    areas = one_of("area", _OF_ONE_THING).text
    return {
        "source_matchers": [equals("severity", "critical").text, areas],
        "target_matchers": [equals("severity", "warning").text, areas],
        "equal": ["area", *TARGET_LABELS, "attribute", "source", "model", "command", *config.metrics.labels],
    }


def _over_the_api(config: Config, model: Alert, alerts: Sequence[Alert]) -> Iterator[Rule]:
    """A request without a model is slow or fails, which shows in what is counted over all instances.

    That explains nothing where another instance may be the one that fails, nor where it is not known whether the model
    is loaded: then the alert has no label of a model. The alert outlives the window of rates (`Alert.outlives`), so
    that what the last requests without a model make fire sends no message when the model is back. An objective whose
    windows are longer may send one then: its budget is used up.
    """
    if not is_only_api(config):
        return
    if counted := [alert for alert in alerts if alert.group in _API and not label_names(alert) & set(TARGET_LABELS)]:
        rule = _rule(model, counted)
        sources = [*rule["source_matchers"], differs("model", "").text]
        yield {**rule, "source_matchers": sources} | _in_one_store(config)


def _over_the_target(down: Alert) -> Rule:
    """What a target says is old or missing while it is down."""
    return {
        "source_matchers": [equals("alertname", down.name).text, equals("area", down.group).text],
        "target_matchers": [
            *(differs("alertname", name).text for name in (down.name, WATCHDOG)),
            differs("area", "").text,
            *_not_above(down),
        ],
        "equal": list(TARGET_LABELS),
    }


def _fast_over_slow(config: Config, by_name: Mapping[str, Alert]) -> Iterator[Rule]:
    """An objective whose budget is gone in days will also miss it in the end."""
    for objective in config.alerts.objectives:
        fast, slow = (by_name.get(name) for name in objective_alerts(objective.name))
        if fast and slow:
            yield _rule(fast, [slow]) | _in_one_store(config)


def _in_one_store(config: Config) -> Rule:
    """An alert of one store keeps silent none of another's."""
    return {"equal": list(config.metrics.labels)} if config.metrics.labels else {}


def _rule(source: Alert, targets: Sequence[Alert]) -> Rule:
    return {
        "source_matchers": [equals("alertname", source.name).text, equals("area", source.group).text],
        "target_matchers": [
            one_of("alertname", [alert.name for alert in targets]).text,
            one_of("area", list(dict.fromkeys(alert.group for alert in targets))).text,
            *_not_above(source),
        ],
    }


def _not_above(source: Alert) -> list[str]:
    """Nothing that is worse may keep silent for what was made a lesser trouble."""
    lesser = at_most(source.severity)
    return [] if len(lesser) == len(get_args(Severity)) else [one_of("severity", lesser).text]
