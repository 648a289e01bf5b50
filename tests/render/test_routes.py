"""Routes: what is rendered of them, the dead man's, and the refusal of those that no alert can reach."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from facemon.errors import ConfigError
from facemon.render.alert_labels import label_space
from facemon.render.alert_rules import alerts_of
from facemon.render.alertmanager_config import alertmanager_config
from facemon.render.route_tests import examples
from facemon.render.routing import claims, left_for, receivers_of
from facemon.render.stack import render_stack
from facemon.render.stack_text import yaml_text
from tests.render.configurations import config_of, stack_of
from tests.render.random_configurations import sampled
from tests.servers import amtool

RECEIVERS = "receivers: [{name: a, webhook: [{url: 'http://a'}]}, {name: b, webhook: [{url: 'http://b'}]}]"


def routed(routes: str, rest: str = "", *, others: str = "") -> dict[str, Any]:
    text = f"alertmanager: {{{RECEIVERS}, routes: [{routes}]{others}}}\n{rest}"
    content: dict[str, Any] = alertmanager_config(config_of(text))["route"]
    return content


def fault_of(routes: str, rest: str = "", *, others: str = "") -> str:
    with pytest.raises(ConfigError) as caught:
        routed(routes, rest, others=others)
    return caught.value.message


@pytest.mark.parametrize(
    ("routes", "fault"),
    [
        ("{match: {severity: fatal}, receiver: b}",
         "routes[0].match.severity: no alert has 'fatal' there (there are 'critical', 'info', 'none', 'warning')"),
        ("{match: {alertname: HighLatencies}, receiver: b}", "routes[0].match.alertname: no alert has 'HighLatencies'"),
        ("{match: {attribute: [gender, beard]}, receiver: b}", "match.attribute: no alert has 'beard' there"),
        ("{match: {team: vision}, receiver: b}",
         "alertmanager.routes[0].match.team: no alert has 'vision' there (no alert has this label)"),
        ("{match: {job: api2}, receiver: b}", "match.job: no alert has 'api2' there (there are 'alertmanager', "),
        ("{match: {attribute: gender, area: api}, receiver: b}",
         "alertmanager.routes[0]: no alert has all of these labels: attribute='gender', area='api'"),
        ("{match: {attribute: gender, severity: critical}, receiver: b}", "no alert has all of these labels"),
        ("{match: {alertname: HighErrorRate, instance: 'api:8000'}, receiver: b}", "no alert has all of these labels"),
        ("{match: {source: camera-6, attribute: gender}, receiver: b}", "no alert has all of these labels"),
        ("{match: {source: camera-6, alertname: DriftDetected}, receiver: b}", "no alert has all of these labels"),
        ("{match: {source: camera-6, area: stack}, receiver: b}", "no alert has all of these labels"),
        ("{match: {source: camera-6, alertname: SourceUnreadable}, receiver: b}", "no alert has all of these labels"),
        ("{match: {source: camera-6, check: nightly}, receiver: b}",
         "routes[0].match.check: no alert has 'nightly' there (there are 'data', 'model')"),
        ("{match: {source: camera-6, job: node}, receiver: b}", "no alert has all of these labels"),
        ("{match: {instance: 'exporter:1'}, receiver: b}", "match.instance: no alert has 'exporter:1' there"),
        ("{match: {area: drift, instance: 'api:8000'}, receiver: b}", "no alert has all of these labels"),
        ("{match: {command: predict}, receiver: b}", "match.command: no alert has 'predict' there"),
        ("{match: {alertname: LowModelAccuracy, attribute: image_brightness}, receiver: b}",
         "no alert has all of these labels"),
        ("{match: {incident: DriftDetected}, receiver: b}", "match.incident: no alert has 'DriftDetected' there"),
        ("{match: {area: api}, receiver: a}, {match: {alertname: HighLatency, endpoint: /predict}, receiver: b}",
         "alertmanager.routes[1]: every alert that it matches goes to routes[0] before it"),
        (("{match: {attribute: gender}, receiver: a}, {match: {area: drift}, receiver: a}, "
          "{match: {attribute: [age, gender]}, receiver: b}"),
         "alertmanager.routes[2]: every alert that it matches goes to routes[1] before it"),
        (("{match: {attribute: gender}, receiver: a}, {match: {attribute: age}, receiver: a}, "
          "{match: {attribute: [age, gender]}, receiver: b}"),
         "alertmanager.routes[2]: every alert that it matches goes to routes[0] or routes[1] before it"),
        ("{match: {alertname: Watchdog}, receiver: b}",
         "alertmanager.routes[0]: every alert that it matches goes to the Watchdog's own route before it"),
    ],
)  # fmt: skip
def test_a_route_that_no_alert_can_reach_is_refused(routes: str, fault: str) -> None:
    assert fault in fault_of(routes)


@pytest.mark.parametrize(
    ("routes", "rest"),
    [
        ("{match: {attribute: image_brightness}, receiver: b}", ""),
        ("{match: {source: camera-6}, receiver: b}", ""),
        ("{match: {source: [camera-6, camera-7], check: model, job: exporter}, receiver: b}", ""),
        ("{match: {source: store}, receiver: b}", ""),
        ("{match: {incident: Drift}, receiver: b}", ""),
        ("{match: {instance: 'h:1'}, receiver: b}", "prometheus: {targets: {exporter: ['h:1']}}"),
        ("{match: {attribute: width}, receiver: b}", "drift: {columns: {width: {threshold: 0.1}}}"),
        ("{match: {service: labelling}, receiver: b}", "exporter: {probes: [{name: labelling, url: 'http://x'}]}"),
        ("{match: {team: vision}, receiver: b}", "alerts: {HighLatency: {labels: {team: vision}}}"),
        ("{match: {team: [vision, sales]}, receiver: b}", "alerts: {HighLatency: {labels: {team: vision}}}"),
        ("{match: {team: ''}, receiver: b}", "alerts: {HighLatency: {labels: {team: vision}}}"),
        ("{match: {site: north}, receiver: b}", "prometheus: {external_labels: {site: north}}"),
        ("{match: {queue: long}, receiver: b}", "alerts: {custom: [{name: Mine, expr: x > 1, summary: s}]}"),
        ("{match: {area: api}, receiver: a, continue: true}, {match: {alertname: HighLatency}, receiver: b}", ""),
        ("{match: {attribute: age}, receiver: a}, {match: {attribute: [age, gender]}, receiver: b}", ""),
    ],
)
def test_a_route_that_some_alert_can_reach_is_rendered(routes: str, rest: str) -> None:
    config = config_of(f"alertmanager: {{{RECEIVERS}, routes: [{routes}]}}\n{rest}")
    alertmanager_config(config)
    *_, last = claims(config.alertmanager)
    assert any(
        last.receiver in receivers_of(labels, config.alertmanager)
        for alert in alerts_of(config)
        for labels in examples(alert, config)
    )


def test_a_receiver_that_is_told_of_nothing_is_said() -> None:
    def notes(routes: str) -> str:
        return " ".join(stack_of(f"alertmanager: {{{RECEIVERS}, routes: [{routes}]}}").notes)

    assert "receivers that no route names get no notifications: b" in notes("")
    assert "get no notifications" not in notes("{match: {severity: critical}, receiver: b}")


def test_a_route_that_only_an_alert_with_unknown_labels_can_reach_is_said() -> None:
    """The query of an alert of one's own may bring any label: that proves nothing of a camera."""
    custom = "alerts: {custom: [{name: Mine, expr: x > 1, summary: s, labels: {team: vision}}]}"

    def notes(match: str) -> list[str]:
        found = render_stack(
            config_of(f"alertmanager: {{{RECEIVERS}, routes: [{{match: {match}, receiver: b}}]}}\n{custom}")
        )
        return [note for note in found.notes if note.startswith("alertmanager.routes")]

    (note,) = notes("{source: camera-6, attribute: age}")
    assert note.startswith(
        "alertmanager.routes[0]: only an alert whose labels facemon does not know can reach it (Mine): "
    )
    assert note.endswith("source='camera-6', attribute='age'")
    assert len(notes("{queue: long}")) == 1
    for match in ("{source: camera-6}", "{team: vision}", "{alertname: Mine}", "{attribute: age}"):
        assert notes(match) == []


def test_every_fault_is_told_at_once() -> None:
    message = fault_of("{match: {severity: fatal}, receiver: b}, {match: {team: x, attribute: y}, receiver: b}")
    assert [line.split(":")[0] for line in message.splitlines()] == [
        "alertmanager.routes[0].match.severity",
        "alertmanager.routes[1].match.team",
        "alertmanager.routes[1].match.attribute",
    ]


def test_the_server_s_labels_do_not_override_the_alert_s() -> None:
    rest = "prometheus: {external_labels: {team: ops, replica: x}}\nalerts: {Watchdog: {labels: {team: vision}}}"
    assert "no alert has 'x'" in fault_of("{match: {replica: x}, receiver: b}", rest)
    assert "the Watchdog's own route" in fault_of("{match: {team: vision}, receiver: b}", rest)


def test_waits_and_mute_times_of_a_route() -> None:
    times = ", mute_times: [{name: nights, hours: [{from: '20:00', to: '24:00'}], location: Europe/Berlin}]"
    route = (
        "{match: {severity: warning, area: [api, drift]}, receiver: b, continue: true, mute: [nights], "
        "group_wait: 0s, group_interval: 90s, repeat_interval: 1h}"
    )
    tree = routed(route, others=times)
    assert tree["routes"] == [
        {"matchers": ['alertname="Watchdog"'], "receiver": "null"},
        {
            "matchers": ['severity="warning"', 'area=~"api|drift"'],
            "receiver": "b",
            "continue": True,
            "mute_time_intervals": ["nights"],
            "group_wait": "0s",
            "group_interval": "1m30s",
            "repeat_interval": "1h",
        },
    ]


def test_the_watchdog_goes_to_the_dead_man_s_receiver_and_to_no_other() -> None:
    first, _ = routed("{match: {area: stack}, receiver: b}", others=", dead_man: {receiver: a}")["routes"]
    assert first == {
        "matchers": ['alertname="Watchdog"'],
        "receiver": "a",
        "group_wait": "0s",
        "group_interval": "1m",
        "repeat_interval": "4m30s",
    }


def test_a_dead_man_s_receiver_needs_a_watchdog() -> None:
    disabled = "alerts: {Watchdog: {enabled: false}}"
    assert "alerts.Watchdog is disabled" in fault_of("", disabled, others=", dead_man: {receiver: a}")
    assert routed("", disabled)["routes"] == []


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.only_at_length) for seed in range(1, 9))])
def test_the_router_agrees_with_the_spaces_of_labels(seed: int) -> None:
    """A label set that is left for a route reaches it, and none reaches a route for which nothing is left."""
    for text in sampled(10, seed):
        config = config_of(text)
        everything = claims(config.alertmanager)
        for alert in alerts_of(config):
            space = label_space(alert, config)
            for place, claim in enumerate(everything):
                part = left_for(claim, everything[:place], space)
                told = [receivers_of(labels, config.alertmanager) for labels in examples(alert, config)]
                if part is None:
                    continue
                assert claim.receiver in receivers_of(part.example({}), config.alertmanager)
                assert any(claim.receiver in receivers for receivers in told)


@pytest.mark.servers
@pytest.mark.slow
def test_amtool_routes_any_labels_as_we_do(each_generation: Path, tmp_path: Path) -> None:
    """Not only the generated examples: labels at random, of which most match nothing or only in part."""
    random = Random(5)
    file = tmp_path / "alertmanager.yml"
    asked = 0
    for text in sampled(8, seed=11):
        config = config_of(text)
        settings = config.alertmanager
        file.write_text(yaml_text(alertmanager_config(config)))
        if "newer" not in str(each_generation) and settings.version >= (0, 28):
            continue
        values = {label: [*route.values(label), "x"] for route in settings.routes for label in route.match}
        for _ in range(12):
            labels = {label: random.choice(some) for label, some in values.items() if random.random() < 0.8}
            arguments = [f"{label}={_quoted(value)}" for label, value in labels.items()]
            outcome = amtool(each_generation, "config", "routes", "test", f"--config.file={file}", *arguments)
            assert outcome.returncode == 0, outcome.stderr
            assert outcome.stdout == ",".join(receivers_of(labels, settings)) + "\n", labels
            asked += 1
    assert asked >= 24


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
