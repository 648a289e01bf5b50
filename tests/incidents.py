"""Every alert of one configuration, in earnest: metrics turn bad and good again, and each receiver is listened to.

Three phases, because some alerts keep others silent on purpose. What Prometheus and Alertmanager say of themselves
is real: a configuration is broken, a rule cannot be evaluated, a receiver refuses what it is sent.
"""

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

from tests.mail_sink import MailSink
from tests.servers import Server, WebhookReceiver, run_alertmanager, run_prometheus, wait_for_query

COMMAND = Path(sys.executable).with_name("facemon")
FIRING, RESOLVED = "firing", "resolved"
_TITLE = re.compile(r"\[(FIRING|RESOLVED)[ \d]*\] (\w+)")
_RESEND = ("--rules.alert.resend-delay=1s",)
"""The Watchdog fires before Prometheus knows of an Alertmanager, and would be told again after a minute only."""
_BAD_CONFIGURATION = "scrape_configs: [none]\n"

RECEIVERS: Mapping[str, frozenset[str]] = {
    "mail": frozenset({
        "DriftDetected", "DriftVerdict", "DriftUndecided", "DriftCheckStale", "ReferenceStale", "AccuracyStale",
    }),
    "by attribute": frozenset({"LowModelAccuracy"}),
    "chat": frozenset({"HighLatency"}),
    "pager": frozenset({"HighErrorRate", "ModelNotLoaded"}),
    "objectives": frozenset({"AnswersBudgetFast", "AnswersBudgetSlow", "QuickBudgetFast", "QuickBudgetSlow"}),
    "vision": frozenset({"ServiceDown", "Clumsy"}),
    "refusing": frozenset({"Unwelcome"}),
    "operations": frozenset({
        "TargetDown", "MetricsAbsent", "SourceUnreadable", "TextfileScrapeError", "ReloadFailed", "RulesFailing",
        "NotificationsFailing",
    }),
    "dead man": frozenset({"Watchdog"}),
}  # fmt: skip
"""Who is to be told of what: written down here, and not taken from what is rendered."""

PHASES: tuple[frozenset[str], ...] = (
    RECEIVERS["mail"] | RECEIVERS["by attribute"] | RECEIVERS["chat"] | RECEIVERS["refusing"] | frozenset({
        "AnswersBudgetSlow", "QuickBudgetSlow", "ServiceDown", "SourceUnreadable", "TextfileScrapeError",
        "ReloadFailed", "RulesFailing", "NotificationsFailing",
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
    - {{name: chat, slack: [{{api_url_file: secrets/chat, channel: "#faces"}}]}}
    - {{name: pager, pagerduty: [{{routing_key_file: secrets/pager}}]}}
    - {{name: objectives, {objectives}}}
    - {{name: vision, webhook: [{{url: "{vision}"}}]}}
    - {{name: refusing, webhook: [{{url: "{refusing}"}}]}}
    - {{name: dead man, webhook: [{{url: "{dead_man}", send_resolved: false}}]}}
  routes:
    - {{match: {{attribute: gender, alertname: LowModelAccuracy}}, receiver: by attribute}}
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
class Notice:
    """A notification as a receiver got it, and when."""

    receiver: str
    alert: str
    status: str
    at: float


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


class Pages:
    """The metrics of an API, two exporters and a node-exporter, in good order or as a phase has them."""

    def __init__(self) -> None:
        self.phase: int | None = None
        self._requests = {"success": 0.0, "error": 0.0}
        self._quick = self._slow = 0.0

    def api(self) -> str:
        bad = {0: 0.2, 1: 0.8}.get(self.phase if self.phase is not None else -1, 0.0)
        self._requests["success"] += 100 * (1 - bad)
        self._requests["error"] += 100 * bad
        self._quick += 100 * (1 - bad)
        self._slow += 100 * bad
        where = 'endpoint="/predict",method="POST"'
        every = self._quick + self._slow
        buckets = {"0.5": self._quick, "0.55": self._quick, "0.75": every, "+Inf": every}
        return _text(
            *(
                (f'api_requests_total{{{where},status="{status}",code="{code}"}}', self._requests[status])
                for status, code in (("success", 200), ("error", 500))
            ),
            *((f'api_request_latency_seconds_bucket{{{where},le="{edge}"}}', n) for edge, n in buckets.items()),
            (f"api_request_latency_seconds_sum{{{where}}}", every),
            (f"api_request_latency_seconds_count{{{where}}}", every),
            ('model_loaded{model="faces@1"}', int(self.phase != 2)),
        )

    def exporter(self) -> str:
        bad = self.phase == 0
        column, day, now = 'attribute="gender",check="model"', 86_400, time.time()
        ages = {"drift-check": 2 * day, "reference": 100 * day, "evaluate": 40 * day}
        return _text(
            *([] if self.phase == 2 else [('images_processed_total{status="ok"}', 5)]),
            (f"drift_score{{{column}}}", 0.9 if bad else 0.01),
            (f"drift_p_value{{{column}}}", 0.001),
            (f"drift_detected{{{column}}}", int(bad)),
            ('drift_undecided{attribute="age",check="model"}', int(bad)),
            ('drift_decided_timestamp_seconds{check="model"}', now),
            ('model_accuracy{attribute="gender"}', 0.5 if bad else 0.95),
            *(
                (f'facemon_last_success_timestamp_seconds{{command="{command}"}}', now - (age if bad else 0))
                for command, age in ages.items()
            ),
            ('facemon_source_up{source="store"}', int(not bad)),
            ('external_service_status{service="labelling"}', int(not bad)),
            ('clumsy_left{kind="a"}', 2 if self.phase == 1 else 1),
            ('clumsy_right{kind="a",side="x"}', 1),
            *([('clumsy_right{kind="a",side="y"}', 1)] if bad else []),
            ("unwelcome", int(bad)),
        )

    def spare(self) -> str | None:
        return None if self.phase == 1 else _text(("facemon_build_info", 1))

    def node(self) -> str:
        return _text(("node_textfile_scrape_error", int(self.phase == 0)))


def run_incidents(tools: Path, folder: Path, *, newer: bool) -> Run:
    """Render, start Prometheus and Alertmanager, and let everything happen; TimeoutError names what did not arrive."""
    run = Run()
    begin = time.monotonic()
    with ExitStack() as stack:
        pages = Pages()
        places = {
            name: stack.enter_context(_page(getattr(pages, name))) for name in ("api", "exporter", "spare", "node")
        }
        ears = _Ears(stack)
        settings = {**places, **ears.addresses(newer=newer), "folder": folder, "version": "0.28" if newer else "0.25"}
        _render(folder, settings, prometheus="127.0.0.1:9", alertmanager="127.0.0.1:9", alertmanagers="")
        _write_secrets(folder, ears)
        alertmanager = stack.enter_context(run_alertmanager(tools, _routes(folder, ears), folder))
        file = folder / "monitoring/prometheus/prometheus.yml"
        prometheus = stack.enter_context(run_prometheus(tools, file, folder, extra_args=_RESEND))
        address = _address(alertmanager)
        _render(folder, settings, prometheus=_address(prometheus), alertmanager=address, alertmanagers=f'"{address}"')
        prometheus.process.send_signal(signal.SIGHUP)
        wait_for_query(prometheus.url, "up == 1", lambda samples: len(samples) == 6)
        for phase in range(len(PHASES)):
            run.journeys += _play(phase, pages, ears, prometheus, file)
        run.notices = ears.notices()
        run.rendered = _rendered(folder)
    run.seconds = time.monotonic() - begin
    return run


def _play(phase: int, pages: Pages, ears: "_Ears", prometheus: Server, file: Path) -> Iterator[Journey]:
    """One phase: its alerts fire, all of them, and when all is well again they resolve."""
    expected = PHASES[phase]
    good = file.read_text(encoding="utf-8")
    began = time.monotonic()
    pages.phase = phase
    ears.refuses("NotificationsFailing" in expected)
    if "ReloadFailed" in expected:
        file.write_text(_BAD_CONFIGURATION, encoding="utf-8")
        prometheus.process.send_signal(signal.SIGHUP)
    fired = ears.wait_for(FIRING, expected - RECEIVERS["refusing"], since=began)
    ears.refuses(False)
    fired |= ears.wait_for(FIRING, expected, since=began)
    ended = time.monotonic()
    pages.phase = None
    if "ReloadFailed" in expected:
        file.write_text(good, encoding="utf-8")
        prometheus.process.send_signal(signal.SIGHUP)
    resolved = ears.wait_for(RESOLVED, expected, since=ended)
    for alert in sorted(expected):
        receiver, at = fired[alert]
        yield Journey(alert, receiver, at - began, resolved[alert][1] - ended)


class _Ears:
    """Everything that listens: web hooks for most receivers, and a mail server."""

    def __init__(self, stack: ExitStack) -> None:
        self._mail = stack.enter_context(MailSink())
        names = [name for name in RECEIVERS if name != "mail"]
        self.hooks = {name: stack.enter_context(WebhookReceiver()) for name in names}
        self._seen: list[Notice] = []
        self._counted = dict.fromkeys(RECEIVERS, 0)

    def addresses(self, *, newer: bool) -> dict[str, str]:
        places = {name.replace(" ", "_"): hook.url for name, hook in self.hooks.items()}
        teams = "teams: [{webhook_url_file: secrets/objectives}]"
        plain = f'webhook: [{{url: "{self.hooks["objectives"].url}"}}]'
        return {**places, "mail": self._mail.address, "objectives": teams if newer else plain}

    def refuses(self, yes: bool) -> None:
        self.hooks["refusing"].answers = 400 if yes else 200

    def notices(self) -> list[Notice]:
        """What has arrived; a notice's time is when it was first looked at, a few milliseconds late."""
        arrived = {name: [_read(body) for body in hook.bodies] for name, hook in self.hooks.items()}
        arrived["mail"] = [_titled(message["Subject"]) for message in self._mail.messages]
        for name, found in arrived.items():
            now = time.monotonic()
            self._seen += [Notice(name, alert, status, now) for alert, status in found[self._counted[name] :]]
            self._counted[name] = len(found)
        return list(self._seen)

    def wait_for(
        self, status: str, alerts: frozenset[str], *, since: float, timeout_s: float = 40.0
    ) -> dict[str, tuple[str, float]]:
        """The receiver and the time of the first notice of each alert since then."""
        deadline = time.monotonic() + timeout_s
        while True:
            found: dict[str, tuple[str, float]] = {}
            for notice in self.notices():
                if notice.status == status and notice.alert in alerts and notice.at >= since:
                    found.setdefault(notice.alert, (notice.receiver, notice.at))
            if len(found) == len(alerts):
                return found
            if time.monotonic() > deadline:
                raise TimeoutError(f"{status} within {timeout_s} s: not {', '.join(sorted(alerts - set(found)))}")
            time.sleep(0.02)


def _read(body: Mapping[str, object]) -> tuple[str, str]:
    """The alert and its status in what a web hook was sent: Alertmanager's own JSON, or a chat's or a pager's."""
    match body:
        case {"groupLabels": {"alertname": str(alert)}, "status": str(status)}:
            return alert, status
        case {"attachments": [{"title": str(title)}]} | {"payload": {"summary": str(title)}}:
            return _titled(title)
        case {"attachments": [{"content": {"body": [{"text": str(title)}, *_]}}]}:
            return _titled(title)
    raise ValueError(f"not understood: {body}")


def _titled(title: str) -> tuple[str, str]:
    match = _TITLE.match(title)
    if match is None:
        raise ValueError(f"not understood: {title}")
    return match[2], match[1].lower()


def _text(*samples: tuple[str, float]) -> str:
    return "".join(f"{series} {value}\n" for series, value in samples)


@contextmanager
def _page(text: Callable[[], str | None]) -> Iterator[str]:
    """Serve what `text` gives, or 503 for none; the address as HOST:PORT."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = text()
            content = (body or "").encode()
            self.send_response(503 if body is None else 200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _render(folder: Path, settings: Mapping[str, object], **places: str) -> None:
    """By the installed command, as a person does."""
    (folder / "facemon.yaml").write_text(_CONFIGURATION.format(**settings, **places), encoding="utf-8")
    subprocess.run([COMMAND, "-q", "render-config"], cwd=folder, check=True, capture_output=True, text=True)


def _rendered(folder: Path) -> frozenset[str]:
    content = yaml.safe_load((folder / "monitoring/prometheus/alert_rules.yml").read_text(encoding="utf-8"))
    return frozenset(rule["alert"] for group in content["groups"] for rule in group["rules"])


def _write_secrets(folder: Path, ears: _Ears) -> None:
    secrets = folder / "secrets"
    secrets.mkdir()
    for name in ("chat", "objectives"):
        (secrets / name).write_text(f"{ears.hooks[name].url}\n")
    for name in ("token", "pager"):
        (secrets / name).write_text(f"{name}\n")


def _routes(folder: Path, ears: _Ears) -> Path:
    """A copy of alertmanager.yml whose PagerDuty is ours: where that is cannot be said in facemon.yaml."""
    text = (folder / "monitoring/alertmanager/alertmanager.yml").read_text(encoding="utf-8")
    copy = folder / "alertmanager_copy.yml"
    content = yaml.safe_load(text)
    content["global"]["pagerduty_url"] = ears.hooks["pager"].url
    copy.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return copy


def _address(server: Server) -> str:
    return server.url.removeprefix("http://")
