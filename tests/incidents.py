"""Every alert of one configuration, in earnest: metrics turn bad and good again, and each receiver is listened to.

Three phases, because some alerts keep others silent on purpose. What Prometheus and Alertmanager say of themselves
is real: a configuration is broken, a rule cannot be evaluated, a receiver refuses what it is sent.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.incident_pages import Pages, served_page
from tests.incident_receivers import Ears, Notice
from tests.read_yaml import read_yaml
from tests.servers import Server, run_alertmanager, run_prometheus, wait_for_query

COMMAND = Path(sys.executable).with_name("facemon")
FIRING, RESOLVED = "firing", "resolved"
_RESEND = ("--rules.alert.resend-delay=1s",)
"""The Watchdog fires before Prometheus knows of an Alertmanager, and would be told again after a minute only."""
_BAD_CONFIGURATION = "scrape_configs: [none]\n"

RECEIVERS: Mapping[str, frozenset[str]] = {
    "mail": frozenset({
        "DriftDetected", "DriftVerdict", "DriftUndecided", "DriftCheckStale", "ReferenceStale", "AccuracyStale",
        "SourceDrift",
    }),
    "by camera": frozenset({"SourceSilent"}),
    "by attribute": frozenset({"LowModelAccuracy"}),
    "chat": frozenset({"HighLatency"}),
    "pager": frozenset({"HighErrorRate", "ModelNotLoaded"}),
    "objectives": frozenset({"AnswersBudgetFast", "AnswersBudgetSlow", "QuickBudgetFast", "QuickBudgetSlow"}),
    "vision": frozenset({"ServiceDown", "Clumsy"}),
    "refusing": frozenset({"Unwelcome"}),
    "operations": frozenset({
        "TargetDown", "MetricsAbsent", "SourceUnreadable", "TextfileScrapeError", "ReloadFailed", "RulesFailing",
        "NotificationsFailing", "AlertmanagerReloadFailed", "DiskFilling",
    }),
    "dead man": frozenset({"Watchdog"}),
}  # fmt: skip
"""Who is to be told of what: written down here, and not taken from what is rendered."""

PHASES: tuple[frozenset[str], ...] = (
    RECEIVERS["mail"] | RECEIVERS["by attribute"] | RECEIVERS["chat"] | RECEIVERS["refusing"] | frozenset({
        "AnswersBudgetSlow", "QuickBudgetSlow", "ServiceDown", "SourceUnreadable", "TextfileScrapeError",
        "ReloadFailed", "RulesFailing", "NotificationsFailing", "SourceSilent", "AlertmanagerReloadFailed",
        "DiskFilling",
    }),
    frozenset({"HighErrorRate", "AnswersBudgetFast", "QuickBudgetFast", "TargetDown", "Clumsy"}),
    frozenset({"ModelNotLoaded", "MetricsAbsent"}),
)  # fmt: skip
"""What goes wrong together. An alert that another would keep silent comes in an earlier phase."""

_CONFIGURATION = """\
version: 1
model: {{bundle: age-gender}}
exporter: {{probes: [{{name: labelling, url: "http://127.0.0.1:9/"}}]}}
prometheus:
  scrape_interval: 500ms
  rate_window: 2s
  jobs: [api, exporter, node, prometheus, alertmanager]
  targets:
    api: ["{api}"]
    exporter: ["{exporter}", "{spare}"]
    node: ["{node}"]
    prometheus: ["{prometheus}"]
    alertmanager: ["{alertmanager}"]
  alertmanagers: [{alertmanagers}]
alerts:
  HighLatency: {{for: 1s}}
  HighErrorRate: {{for: 1s, threshold: 0.5}}
  ModelNotLoaded: {{for: 1s}}
  DriftDetected: {{for: 1s}}
  LowModelAccuracy: {{for: 1s}}
  TargetDown: {{for: 1s}}
  MetricsAbsent: {{for: 1s}}
  SourceUnreadable: {{for: 1s}}
  ServiceDown: {{for: 1s, labels: {{team: vision}}}}
  TextfileScrapeError: {{for: 1s}}
  ReloadFailed: {{for: 1s}}
  RulesFailing: {{for: 1s}}
  NotificationsFailing: {{for: 1s}}
  AlertmanagerReloadFailed: {{for: 1s}}
  DiskFilling: {{for: 1s}}
  objectives:
    - {{name: Answers, indicator: errors, target: 0.9, period: 20s}}
    - {{name: Quick, indicator: latency, target: 0.9, period: 20s}}
  custom:
    - {{name: Clumsy, expr: "clumsy_left * on (kind) clumsy_right > 1", summary: c, labels: {{team: vision}}}}
    - {{name: Unwelcome, expr: "unwelcome == 1", summary: u}}
alertmanager:
  target_version: "{version}"
  smtp: {{smarthost: "{mail}", from: facemon@example.com, require_tls: false}}
  receivers:
    - {{name: operations, webhook: [{{url: "{operations}"}}]}}
    - {{name: mail, email: [{{to: team@example.com}}]}}
    - {{name: by attribute, webhook: [{{url: "{by_attribute}", bearer_token_file: secrets/token}}]}}
    - {{name: by camera, webhook: [{{url: "{by_camera}"}}]}}
    - {{name: chat, slack: [{{api_url_file: secrets/chat, channel: "#faces"}}]}}
    - {{name: pager, pagerduty: [{{routing_key_file: secrets/pager}}]}}
    - {{name: objectives, {objectives}}}
    - {{name: vision, webhook: [{{url: "{vision}"}}]}}
    - {{name: refusing, webhook: [{{url: "{refusing}"}}]}}
    - {{name: dead man, webhook: [{{url: "{dead_man}", send_resolved: false}}]}}
  routes:
    - {{match: {{attribute: gender, alertname: LowModelAccuracy}}, receiver: by attribute}}
    - {{match: {{source: camera-6}}, receiver: by camera}}
    - {{match: {{area: drift}}, receiver: mail}}
    - {{match: {{area: api, severity: critical}}, receiver: pager}}
    - {{match: {{area: api}}, receiver: chat}}
    - {{match: {{area: objectives}}, receiver: objectives}}
    - {{match: {{team: vision}}, receiver: vision}}
    - {{match: {{alertname: Unwelcome}}, receiver: refusing}}
  dead_man: {{receiver: dead man, repeat_interval: 2s}}
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1s
stack: {{secrets_dir: "{folder}/secrets"}}
"""


@dataclass(frozen=True, slots=True)
class Journey:
    """How long an alert's way was: from the trouble, and from its end, to the receiver; in seconds."""

    alert: str
    receiver: str
    to_firing: float
    to_resolved: float


@dataclass(slots=True)
class Run:
    """What came of it: `journeys` of all alerts that fired and resolved, every notice, and how long it all took."""

    seconds: float = 0.0
    journeys: list[Journey] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    rendered: frozenset[str] = frozenset()


def run_incidents(tools: Path, folder: Path, *, newer: bool) -> Run:
    """Render, start Prometheus and Alertmanager, and let everything happen; TimeoutError names what did not arrive."""
    run = Run()
    begin = time.monotonic()
    with ExitStack() as stack:
        pages = Pages()
        places = {
            name: stack.enter_context(served_page(getattr(pages, name)))
            for name in ("api", "exporter", "spare", "node")
        }
        ears = Ears(RECEIVERS, stack)
        settings = {**places, **ears.addresses(newer=newer), "folder": folder, "version": "0.28" if newer else "0.25"}
        _render(folder, settings, prometheus="127.0.0.1:9", alertmanager="127.0.0.1:9", alertmanagers="")
        _write_secrets(folder, ears)
        routes = _routes(folder, ears)
        alertmanager = stack.enter_context(run_alertmanager(tools, routes, folder))
        file = folder / "monitoring/prometheus/prometheus.yml"
        prometheus = stack.enter_context(run_prometheus(tools, file, folder, extra_args=_RESEND))
        address = _address(alertmanager)
        _render(folder, settings, prometheus=_address(prometheus), alertmanager=address, alertmanagers=f'"{address}"')
        prometheus.process.send_signal(signal.SIGHUP)
        wait_for_query(prometheus.url, "up == 1", lambda samples: len(samples) == 6)
        for phase in range(len(PHASES)):
            run.journeys += _play(phase, pages, ears, {prometheus: file, alertmanager: routes})
        run.notices = ears.notices()
        run.rendered = _rendered(folder)
    run.seconds = time.monotonic() - begin
    return run


def _play(phase: int, pages: Pages, ears: Ears, configured: Mapping[Server, Path]) -> Iterator[Journey]:
    """One phase: its alerts fire, all of them, and when all is well again they resolve."""
    expected = PHASES[phase]
    good = {server: file.read_text(encoding="utf-8") for server, file in configured.items()}
    began = time.monotonic()
    pages.phase = phase
    ears.refuses("NotificationsFailing" in expected)
    if "ReloadFailed" in expected:
        for server, file in configured.items():
            _reload(server, file, _BAD_CONFIGURATION)
    fired = ears.wait_for(FIRING, expected - RECEIVERS["refusing"], since=began)
    ears.refuses(False)
    fired |= ears.wait_for(FIRING, expected, since=began)
    ended = time.monotonic()
    pages.phase = None
    if "ReloadFailed" in expected:
        for server, file in configured.items():
            _reload(server, file, good[server])
    resolved = ears.wait_for(RESOLVED, expected, since=ended)
    for alert in sorted(expected):
        receiver, at = fired[alert]
        yield Journey(alert, receiver, at - began, resolved[alert][1] - ended)


def _reload(server: Server, file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    server.process.send_signal(signal.SIGHUP)


def _render(folder: Path, settings: Mapping[str, object], **places: str) -> None:
    """By the installed command, as a person does."""
    (folder / "facemon.yaml").write_text(_CONFIGURATION.format(**settings, **places), encoding="utf-8")
    subprocess.run([COMMAND, "-q", "render-config"], cwd=folder, check=True, capture_output=True, text=True)


def _rendered(folder: Path) -> frozenset[str]:
    content = read_yaml((folder / "monitoring/prometheus/alert_rules.yml").read_text(encoding="utf-8"))
    return frozenset(rule["alert"] for group in content["groups"] for rule in group["rules"])


def _write_secrets(folder: Path, ears: Ears) -> None:
    secrets = folder / "secrets"
    secrets.mkdir()
    for name in ("chat", "objectives"):
        (secrets / name).write_text(f"{ears.hooks[name].url}\n")
    for name in ("token", "pager"):
        (secrets / name).write_text(f"{name}\n")


def _routes(folder: Path, ears: Ears) -> Path:
    """A copy of alertmanager.yml whose PagerDuty is ours: where that is cannot be said in facemon.yaml."""
    text = (folder / "monitoring/alertmanager/alertmanager.yml").read_text(encoding="utf-8")
    copy = folder / "alertmanager_copy.yml"
    content = read_yaml(text)
    content["global"]["pagerduty_url"] = ears.hooks["pager"].url
    copy.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return copy


def _address(server: Server) -> str:
    return server.url.removeprefix("http://")
