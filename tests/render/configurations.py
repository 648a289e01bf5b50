"""The configurations that everything rendered is judged by: the defaults, and some that change as much as they can."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from facemon.config.alerts import BUILT_IN
from facemon.config.document import Config
from facemon.config.loader import parse_config
from facemon.render.stack import Part, RenderedStack, render_stack

DIRECTORY = Path("/srv/faces")

DEFAULTS = "grafana: {admin_password_file: secrets/grafana_admin_password}\n"

_OFF = "".join(f"  {name}: {{enabled: false}}\n" for name in BUILT_IN if name != "DriftDetected")
ONE_ALERT = f"{DEFAULTS}alerts:\n{_OFF}"
"""Few rules: promtool evaluates all of them in each generated test, which takes it half a minute with every alert."""

OBJECTIVES = """
alerts:
  objectives:
    - {name: Answers, indicator: errors, target: 0.999}
    - {name: Fast, indicator: latency, target: 0.99, threshold: 0.25, endpoint: /predict, period: 7d}
"""
"""What the defaults do not have: objectives of both indicators."""

SHORTENED = r"""
exporter: {probes: [{name: labels, url: "http://labels:1/health"}]}
metrics: {labels: {site: 'nor"th\', rack: "7"}}
prometheus:
  scrape_interval: 1s
  rate_window: 10s
  store_metrics_from: textfile
  jobs: [exporter, node, pushgateway]
  targets: {exporter: ["127.0.0.1:8001"]}
  external_labels: {cluster: 'a"b{{ x }}'}
  alertmanagers: ["127.0.0.1:9093"]
  remote_write:
    - {url: "https://remote.example/write", basic_auth: {username: u, password_file: secrets/remote}}
    - {url: "https://other.example", bearer_token_file: /etc/token}
alerts:
  DriftDetected:
    threshold: 0.05
    for: 1s
    severity: critical
    labels: {team: 'f{{ace', where: 'a "b" \ c'}
    annotations: {summary: 'only Prometheus can tell: {{ $labels.attribute | toUpper }}', extra: 'ü "q"'}
  LowModelAccuracy: {threshold: 0.9, for: 7s, annotations: {summary: 'plain'}}
  DriftCheckStale: {threshold: 8d}
  MetricsAbsent: {enabled: false}
  custom: [{name: Mine, expr: 'vector(1) > 2', summary: "of my own"}]
alertmanager:
  smtp: {smarthost: "mail:587", from: a@b.example, username: u, password_file: secrets/smtp}
  receivers:
    - name: "the team"
      email: [{to: "x@y.example"}]
      slack: [{api_url_file: secrets/slack, channel: "#alerts"}]
      webhook: [{url: "http://hook:1/x"}]
    - {name: other, webhook: [{url: "http://hook:1/y", send_resolved: false}]}
  routes: [{match: {severity: critical, team: "f\"\\{{ace\n"}, receiver: other, continue: true}]
grafana: {admin_password_file: secrets/grafana, root_url: "https://g.example/x/", import_files: true}
stack: {runbook_url: "https://r.example/books", images: {grafana: "grafana/grafana:11.6.0"}}
schedule: {targets: [cron, systemd, github, airflow, kubernetes], checks: [model]}
"""

EXTREMES = """
metrics: {labels: {site: north}}
prometheus:
  scrape_interval: 2m30s
  store_metrics_from: api
  jobs: [api, prometheus, alertmanager, cadvisor, node, exporter]
alerts:
  HighLatency: {threshold: 0.001, for: 0s}
  HighErrorRate: {threshold: 0.0, for: 90s}
  LowModelAccuracy: {threshold: 1.0}
  DriftDetected: {threshold: 0.0, for: 1h}
  ModelNotLoaded: {for: 500ms}
drift: {significance: 0.001}
grafana: {admin_password_file: /etc/grafana_password}
"""

SCHEDULES = """
schedule:
  targets: [cron, systemd, github, airflow, kubernetes]
  directory: /srv/faces
  command: /opt/facemon/bin/facemon
  retrain: [./retrain.sh, --now]
"""

REPLICATED = r"""
api: {tokens_file: secrets/api_tokens, workers: 3, listen: "127.0.0.1:9000", timeout: 90s}
prometheus:
  jobs: [api, exporter, node, cadvisor, prometheus, alertmanager, pushgateway]
  limits: {samples: 1000, labels: 32, label_name_length: 100, label_value_length: 500}
  external_labels: {site: 'a$b ${HOME} $$ \'}
  remote_write:
    - url: "https://archive.example/write"
      name: archive
      basic_auth: {username: u, password_file: secrets/write}
      tls: {ca_file: secrets/ca.pem, cert_file: secrets/cert.pem, key_file: "secrets/the key.pem", server_name: metrics}
      keep: ["model_*", drift_score]
      queue: {capacity: 5000, min_shards: 2, max_shards: 9, max_samples_per_send: 500, batch_send_deadline: 2s,
              min_backoff: 50ms, max_backoff: 1m30s}
    - {url: "https://archive.example/write", tls: {ca_file: secrets/ca.pem}, queue: {max_backoff: 10s}}
  replicas: 2
alertmanager:
  receivers: [{name: team, slack: [{api_url_file: secrets/slack, channel: "#alerts"}]}]
  replicas: 3
grafana:
  admin_password_file: secrets/grafana
  database: {host: "postgres:6432", name: g, user: u, password_file: secrets/database}
"""

OWN_NAMES = r"""
prometheus:
  jobs: [api, exporter, node]
  job_names: {api: face-api, node: node.exporter}
  target_labels: {namespace: faces, team: 'a"b'}
exporter: {probes: [{name: labels, url: "http://labels:1/health"}]}
"""
"""An existing Prometheus, whose jobs have other names and targets of other teams."""

CONFIGURATIONS = {"defaults": DEFAULTS, "shortened": SHORTENED, "extremes": EXTREMES, "replicated": REPLICATED}


@lru_cache(maxsize=64)
def config_of(text: str) -> Config:
    """The configuration in `text`, as if it were in a fixed folder; the same object when it is asked for again.

    It is frozen, and what is worked out of a configuration is remembered by its identity.
    """
    return parse_config(text, name="facemon.yaml", directory=DIRECTORY)


@lru_cache(maxsize=16)
def stack_of(text: str, *only: Part) -> RenderedStack:
    """The rendered stack of the configuration in `text`, or some of its parts; rendered once for all who read it."""
    stack = render_stack(config_of(text), only)
    return replace(stack, files=MappingProxyType(dict(stack.files)))
