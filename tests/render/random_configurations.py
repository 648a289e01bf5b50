"""Random valid configurations over every key that the rendered stack depends on, with texts that break naive writers.

One function of a `random.Random` makes a document: Hypothesis drives it where a failure is to be made small, a
seed where the same configurations are wanted again. Limits are read from the models, so that they cannot grow apart.
"""

import re
import string
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, TypeVar, get_args

import yaml
from hypothesis import strategies as st

from facemon.config.alertmanager import Weekday
from facemon.config.alerts import BUILT_IN, AgeAlertConfig, AlertsConfig, LatencyAlertConfig
from facemon.config.prometheus import DOOR_JOBS, REPLICA_LABEL, Door, Job
from facemon.config.quantities import Severity
from facemon.config.stack import Service, Target
from facemon.values.metric_catalogue import LATENCY_BUCKETS

Document = dict[str, Any]
_T = TypeVar("_T")

_LITERAL = (
    '"', "'", '"""', "`", "\\", "\\n", "\n", "\n\n  ", "\t", "{", "}", "{{ }}", "{{ . }}", "{{", "}}", "{% x %}",
    "${HOME}", "$", "$$", "$1", "$__all", "%", "%s", "#", ": ", "- ", "? ", "&a", "*a", "!!int", "|", ">", "@", "[",
    "]", ",", "<b>", "&amp;", "no", "null", "~", "1e-3", "0o7", "12:30", "ü", "ß", "日本", "🙂", "\u00a0", "\u2028",
    "\x85", "\x1b", " ", "  x",
)  # fmt: skip
_FILLED = ("{{ $value }}", "{{ $labels.job | toUpper }}")
_TEMPLATE = (*(piece for piece in _LITERAL if "{{" not in piece), *_FILLED)
_VALID_TEMPLATE = re.compile(rf"(?:(?!{{{{).|{'|'.join(map(re.escape, _FILLED))})*", re.DOTALL)
_PATH = ("a", "-", "%20", "{x}", "{{y}}", "$z", '"', "'", "ü", "?q=1&r", "/")
_LONGEST = 200
_SHORT = ("500ms", "1s", "7s", "15s", "30s", "1m", "90s")
_FOR = ("0s", *_SHORT, "5m", "10m", "1h")
_LONG = ("2d", "53h", "8d", "30d", "4w")
_PERIODS = ("7d", "28d", "30d", "90d")
_LABELS = ("team", "where", "Owner", "_x1", "x__y", "l" * _LONGEST)
_ANNOTATIONS = ("summary", "description", "extra", "_x1", "a" * _LONGEST)
_PLACES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo")
_MAILBOXES = ("a", "o'neil+x", "{{a}}", "a.b-c", "$_`|~", "x" * 64)
_VERSIONS = ("0.25", "0.26", "0.27", "0.28", "0.31")
_EXPRESSIONS = (
    "vector(1) > 2",
    "sum(rate(api_requests_total[5m])) > 1000",
    'drift_score{attribute="a\\"b\\\\c{{ x }}"} > 0.5',
    "up == 0 # a comment",
    "max by (job) (\n  up\n) < 0",
)
_WATCH_ALWAYS = (
    "DriftDetected", "DriftVerdict", "DriftUndecided", "DriftCheckStale", "LowModelAccuracy", "TargetDown",
    "MetricsAbsent", "SourceUnreadable",
)  # fmt: skip
"""The alerts that need no job, so that a route to them can always be reached."""
_KEPT = "TargetDown"
"""Never disabled: without any alert nothing is rendered."""
_TEAMS_SINCE = "0.28"
"""The Alertmanager that knows each kind of receiver and a webhook's address in a file."""


def configurations() -> st.SearchStrategy[str]:
    """YAML texts of valid configurations."""
    return st.randoms(use_true_random=False).map(_text_of)


def sampled(count: int, seed: int) -> list[str]:
    """The same `count` configurations for the same `seed`, on every machine."""
    return [_text_of(Random(f"{seed}/{number}")) for number in range(count)]


def _text_of(random: Random) -> str:
    return yaml.safe_dump(_document(_Choices(random)), allow_unicode=random.random() < 0.5, sort_keys=False, width=100)


class _Choices:
    """What a configuration is drawn from; secrets' files get a name each."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self._secrets = 0

    def maybe(self, share: float = 0.5) -> bool:
        return self.random.random() < share

    def one(self, options: Sequence[_T]) -> _T:
        return options[self.random.randrange(len(options))]

    def some(self, options: Sequence[_T], least: int = 0) -> list[_T]:
        """Distinct ones, in their order."""
        count = self.random.randint(least, len(options))
        return [options[place] for place in sorted(self.random.sample(range(len(options)), count))]

    def times(self, most: int, least: int = 0) -> range:
        return range(self.random.randint(least, most))

    def text(self, pieces: Sequence[str] = _LITERAL, least: int = 1) -> str:
        """Words and what naive writers stumble over; sometimes of the greatest length, sometimes plain."""
        if self.maybe(0.3):
            return self.word()
        text = "".join(self.one(pieces) if self.maybe(0.7) else self.word() for _ in self.times(5, least))
        if self.maybe(0.05):
            text = (text or "x") * _LONGEST
        return text[:_LONGEST]

    def distinct(self, most: int, least: int = 0, pieces: Sequence[str] = _LITERAL) -> list[str]:
        return list(dict.fromkeys(self.text(pieces) for _ in self.times(most, least)))

    def template(self) -> str:
        """A text in which `{{` begins a template that there is; cut or glued pieces could make another."""
        text = self.text(_TEMPLATE)
        return text if _VALID_TEMPLATE.fullmatch(text) else "{{ $value }}"

    def word(self) -> str:
        return "".join(self.one(string.ascii_letters) for _ in self.times(6, 1))

    def labels(self, names: Sequence[str] = _LABELS) -> dict[str, str]:
        return {name: self.text(least=0) for name in self.some(names)}

    def url(self) -> str:
        path = "".join(self.one(_PATH) for _ in self.times(5))
        return f"{self.one(('http', 'https'))}://{self.address(80)}{self.one(('', '/' + path))}"

    def address(self, port: int) -> str:
        return f"{self.one(('127.0.0.1', 'host.example', 'a-b', '[::1]', 'host.docker.internal'))}:{port}"

    def secret(self) -> str:
        self._secrets += 1
        folder = self.one(("secrets", ".", "../up", "/etc/facemon", "sec rets/ü"))
        return f"{folder}/secret_{self._secrets}{self.one(('', '.txt', '-x', '.PEM'))}"

    def email(self) -> str:
        return f"{self.one(_MAILBOXES)}@{self.one(('example.com', 'a-b.example', 'localhost'))}"

    def number(self, least: float, most: float) -> float:
        return round(self.random.uniform(least, most), self.random.randint(2, 6))


def _document(choices: _Choices) -> Document:
    prometheus = _prometheus(choices)
    alertmanager = {}
    alerts = _alerts(choices, prometheus["jobs"])
    if choices.maybe(0.8):
        alertmanager = _alertmanager(choices, alerts)
    sections: Document = {
        "version": 1,
        "model": _model(choices),
        "drift": _drift(choices),
        "exporter": {"probes": [{"name": name, "url": "http://probe.example:1/x"} for name in choices.distinct(2)]},
        "prometheus": prometheus,
        "alerts": alerts,
        "alertmanager": alertmanager,
        "grafana": _grafana(choices),
        "stack": _stack(choices),
        "schedule": _schedule(choices),
    }
    return {name: content for name, content in sections.items() if content}


def _model(choices: _Choices) -> Document:
    if choices.maybe(0.3):
        return {"bundle": "age-gender"}
    names = [f"{name}{number}" for number, name in enumerate(choices.some(("a", "_b", "Hair_Color", "x" * 190), 1))]
    return {
        "name": choices.text(),
        "version": choices.text(),
        "networks": [
            {
                "path": "models/m.onnx",
                "input": {"name": "in", "size": [8, 8]},
                "attributes": [_attribute(choices, name) for name in names],
            }
        ],
    }


def _attribute(choices: _Choices, name: str) -> Document:
    kind = choices.one(("binary", "categorical", "ordinal", "number"))
    attribute: Document = {"name": name, "output": choices.text(), "kind": kind}
    labels = list(dict.fromkeys([choices.text(), choices.text(), "yes", "no", *choices.distinct(3)]))
    match kind:
        case "binary":
            attribute["labels"] = labels[:2]
        case "categorical":
            attribute["labels"] = labels
        case "ordinal":
            attribute["values"] = [0.5, 1, 2]
            attribute["bands"] = {labels[0]: [0, 1], labels[1]: [1, 2], labels[2]: [2, 3]}
    return attribute


def _drift(choices: _Choices) -> Document:
    def threshold() -> Document:
        return {"threshold": choices.one((0.0, 1.0, choices.number(0.001, 1)))}

    return {
        "significance": choices.one((0.05, 0.001, 0.5, 1e-07)),
        "window": choices.one(("1h", "24h", "7d")),
        "accuracy_window": choices.one(("1d", "30d")),
        "data": threshold(),
        "model": threshold(),
        "columns": {name: threshold() for name in choices.distinct(2)},
    }


def _prometheus(choices: _Choices) -> Document:
    interval, windows = choices.one(
        (("500ms", ("2s", "10s", "5m")), ("1s", ("4s", "7s", "1m")), ("15s", ("1m", "5m")), ("2m30s", ("10m", "1h")))
    )
    door = choices.one(get_args(Door))
    jobs = choices.some(tuple(job for job in get_args(Job) if job != DOOR_JOBS[door]))
    jobs.insert(choices.random.randint(0, len(jobs)), DOOR_JOBS[door])
    replicas = choices.one((1, 1, 2, 3))
    section: Document = {
        "scrape_interval": interval,
        "store_metrics_from": door,
        "jobs": jobs,
        "retention": choices.one(("1h", "15d", "1d12h", "10w")),
        "external_labels": {
            name: text for name, text in choices.labels(("site", REPLICA_LABEL, *_LABELS)).items()
            if replicas == 1 or name != REPLICA_LABEL
        },
        "targets": {job: [choices.address(port) for port in choices.times(3, 1)]
                    for job in choices.some(get_args(Job))},
        "replicas": replicas,
        "remote_write": [_remote_write(choices, number) for number in choices.times(3)],
        "limits": {key: choices.one((1, 100, 10**6)) for key in choices.some(
            ("samples", "labels", "label_name_length", "label_value_length"))},
    }  # fmt: skip
    section["targets"] = {job: addresses for job, addresses in section["targets"].items() if job in jobs}
    if choices.maybe():
        section["evaluation_interval"] = choices.one(_SHORT)
    if choices.maybe():
        section["rate_window"] = choices.one(windows)
    if choices.maybe(0.3):
        section["alertmanagers"] = [choices.address(port) for port in choices.times(2)]
    return section


def _remote_write(choices: _Choices, number: int) -> Document:
    remote: Document = {"url": f"https://remote{number}.example/{choices.one(('', 'w?a={{b}}&c=$d', 'ü'))}"}
    if choices.maybe():
        remote["name"] = choices.text()[:-1] + str(number)
    match choices.one(("none", "basic", "bearer")):
        case "basic":
            remote["basic_auth"] = {"username": choices.text(), "password_file": choices.secret()}
        case "bearer":
            remote["bearer_token_file"] = choices.secret()
    if choices.maybe():
        tls: Document = {"ca_file": choices.secret()} if choices.maybe() else {}
        if choices.maybe():
            tls |= {"cert_file": choices.secret(), "key_file": choices.secret()}
        if choices.maybe():
            tls["server_name"] = choices.text()
        remote["tls"] = tls
    if choices.maybe():
        remote["keep"] = choices.some(("model_*", "drift_score", "a:b:c*", "x" * 199 + "*", "_"), 1)
    if choices.maybe():
        most: Document = {
            "capacity": 2500, "min_shards": 1, "max_shards": 9, "max_samples_per_send": 500,
            "batch_send_deadline": "5s", "min_backoff": "30ms", "max_backoff": "4s",
        }  # fmt: skip
        remote["queue"] = {key: most[key] for key in choices.some(tuple(most))}
    return remote


def _alerts(choices: _Choices, jobs: Sequence[str]) -> Document:
    section: Document = {name: _changed(choices, name) for name in choices.some(BUILT_IN)}
    names = [f"Own{number}" for number in choices.times(3)] + (["_x" * 100] if choices.maybe(0.2) else [])
    if names:
        section["custom"] = [_custom(choices, name) for name in names]
    if "api" in jobs and choices.maybe():
        section["objectives"] = [_objective(choices, f"Goal{number}") for number in choices.times(2)]
    return section


def _changed(choices: _Choices, name: str) -> Document:
    model = type(getattr(AlertsConfig(), name))
    change: Document = {}
    if choices.maybe(0.2) and name != _KEPT:
        change["enabled"] = False
    if choices.maybe():
        change["for"] = choices.one(_FOR)
    if choices.maybe():
        change["severity"] = choices.one(get_args(Severity))
    if choices.maybe():
        change["labels"] = choices.labels()
    if choices.maybe():
        change["annotations"] = {key: choices.template() for key in choices.some(_ANNOTATIONS)}
    if "min_requests" in model.model_fields and choices.maybe():
        change["min_requests"] = choices.one((0, 1, 10, 1000))
    if "threshold" in model.model_fields and choices.maybe():
        change["threshold"] = _threshold(choices, model)
    return change


def _threshold(choices: _Choices, model: type[Any]) -> float | str:
    if issubclass(model, AgeAlertConfig):
        return choices.one(_LONG)
    if issubclass(model, LatencyAlertConfig):
        return choices.one(LATENCY_BUCKETS[:-1])
    ends = dict(_ends(model))
    return choices.one((choices.number(0.01, 0.99), *(ends[end] for end in ("ge", "le") if end in ends)))


def _ends(model: type[Any]) -> Iterator[tuple[str, float]]:
    """What the threshold may be at the least and at the most, where the end itself is allowed."""
    threshold = get_args(model.model_fields["threshold"].annotation)[0]
    for constraint in getattr(get_args(threshold)[1], "metadata", ()):
        for end in ("ge", "le"):
            if hasattr(constraint, end):
                yield end, float(getattr(constraint, end))


def _custom(choices: _Choices, name: str) -> Document:
    alert: Document = {"name": name, "expr": choices.one(_EXPRESSIONS), "summary": choices.template()}
    optional = {
        "for": choices.one(_FOR), "severity": choices.one(get_args(Severity)),
        "description": choices.template(), "labels": choices.labels(),
    }  # fmt: skip
    return alert | {key: optional[key] for key in choices.some(tuple(optional))}


def _objective(choices: _Choices, name: str) -> Document:
    objective: Document = {
        "name": name + choices.one(("", "X" * 50)),
        "indicator": choices.one(("errors", "latency")),
        "target": choices.one((0.5, 0.9, 0.99, 0.999, 0.99995)),
    }
    if objective["indicator"] == "latency" and choices.maybe():
        objective["threshold"] = choices.one(LATENCY_BUCKETS[:-1])
    if choices.maybe():
        objective["endpoint"] = choices.text()
    if choices.maybe():
        objective["period"] = choices.one(_PERIODS)
    return objective


def _alertmanager(choices: _Choices, alerts: Document) -> Document:
    version = choices.one(_VERSIONS)
    names = [name for name in choices.distinct(4) if name != "null"]
    receivers = [_receiver(choices, name, version) for name in names]
    times = [_mute_time(choices, name) for name in choices.distinct(2)]
    section: Document = {
        "target_version": version,
        "receivers": receivers,
        "mute_times": times,
        "group_by": choices.some(("alertname", "attribute", "check", "team", "instance")),
        "group_wait": choices.one(_FOR),
        "group_interval": choices.one(_SHORT),
        "repeat_interval": choices.one(("1m", "4h", "1w")),
        "replicas": choices.one((1, 1, 2, 3)),
    }
    if any("email" in receiver for receiver in receivers) or choices.maybe(0.2):
        section["smtp"] = _smtp(choices)
    if names and choices.maybe():
        section["dead_man"] = {"receiver": choices.one(names)} | (
            {"repeat_interval": choices.one(("1m", "5m"))} if choices.maybe() else {}
        )
        alerts.get("Watchdog", {}).pop("enabled", None)
    if names:
        section["routes"] = list(_routes(choices, alerts, names, [time["name"] for time in times]))
    return section


def _smtp(choices: _Choices) -> Document:
    smtp: Document = {"smarthost": choices.one(("mail:587", "smtp.example.com:25")), "from": choices.email()}
    if choices.maybe():
        smtp |= {"username": choices.text(), "password_file": choices.secret()}
    if choices.maybe():
        smtp["require_tls"] = choices.maybe()
    return smtp


def _receiver(choices: _Choices, name: str, version: str) -> Document:
    ways: dict[str, list[Document]] = {
        "email": [{"to": choices.email()}],
        "slack": [{"api_url_file": choices.secret(), "channel": choices.text()}],
        "pagerduty": [{"routing_key_file": choices.secret()}],
        "teams": [{"webhook_url_file": choices.secret()}],
        "webhook": [{"url": choices.url()}, {"url": choices.url(), "bearer_token_file": choices.secret()}],
    }
    if _number(version) >= _number(_TEAMS_SINCE):
        ways["webhook"].append({"url_file": choices.secret()})
    else:
        del ways["teams"]
    receiver: Document = {"name": name}
    for way in choices.some(tuple(ways), 1):
        receiver[way] = choices.some(ways[way], 1)
        for config in receiver[way]:
            if choices.maybe():
                config["send_resolved"] = choices.maybe()
    return receiver


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _mute_time(choices: _Choices, name: str) -> Document:
    weekdays = choices.some(get_args(Weekday))
    hours = [{"from": "20:00", "to": "24:00"}, {"from": "00:00", "to": "06:30"}]
    mute: Document = {"name": name, "location": choices.one(_PLACES)}
    if weekdays:
        mute["weekdays"] = weekdays
    if choices.maybe() or not weekdays:
        mute["hours"] = choices.some(hours, 1)
    return mute


def _routes(choices: _Choices, alerts: Document, receivers: Sequence[str], times: Sequence[str]) -> Iterator[Document]:
    """Each claims an alert that no route before it has claimed."""
    own = {alert["name"]: alert for alert in alerts.get("custom", ())}
    there = [name for name in _WATCH_ALWAYS if alerts.get(name, {}).get("enabled", True)]
    left = choices.some((*there, *own))[:4]
    while left:
        name = left.pop(0)
        alert = own.get(name) or alerts.get(name, {})
        known = {label: text for label, text in alert.get("labels", {}).items() if text}
        if "severity" in alert:
            known["severity"] = alert["severity"]
        route: Document = {"receiver": choices.one(receivers)}
        match = {label: known[label] for label in choices.some(tuple(known))}
        if choices.maybe():
            route["continue"] = True
        if not (route.get("continue") and match):
            match["alertname"] = name
        values: dict[str, str | list[str]] = dict(match)
        if choices.maybe() and left and list(values) == ["alertname"]:
            values["alertname"] = [name, left.pop(0)]
        elif choices.maybe(0.2):
            values = {label: [text] for label, text in match.items()}
        route["match"] = values
        if times and choices.maybe():
            route["mute"] = choices.some(times)
        for key, options in (("group_wait", _FOR), ("group_interval", _SHORT), ("repeat_interval", ("1m", "4h"))):
            if choices.maybe(0.3):
                route[key] = choices.one(options)
        yield route


def _grafana(choices: _Choices) -> Document:
    grafana: Document = {}
    if choices.maybe(0.8):
        grafana["admin_password_file"] = choices.secret()
    if choices.maybe():
        grafana["root_url"] = choices.url()
    if choices.maybe(0.3):
        grafana["database"] = {"password_file": choices.secret(), "host": "postgres:5432"}
        grafana["database"] |= {key: choices.text() for key in choices.some(("name", "user"))}
    return grafana


def _stack(choices: _Choices) -> Document:
    pinned = ("r.example:5000/a/b:v1.2.3", "a:1", "a/b@sha256:" + "0a" * 32)
    stack: Document = {"images": {service: choices.one(pinned) for service in choices.some(get_args(Service))}}
    optional: Document = {
        "listen": choices.one(("127.0.0.1", "0.0.0.0", "[::1]")),  # noqa: S104 - asked for
        "runbook_url": choices.url(),
        "secrets_dir": choices.one(("/run/secrets", "/run/secrets/", "/etc/$s", "/ü/{{x}}")),
    }
    return stack | {key: optional[key] for key in choices.some(tuple(optional))}


def _schedule(choices: _Choices) -> Document:
    lines = ("0 2 * * *", "*/15 * * * *", "5,35 0-6/2 1 1-12 1-5", "59 23 31 12 *", "0 0 * * 0,6", "0-59/20 */6 * * *")
    schedule: Document = {"drift_check": choices.one(lines), "targets": choices.some(get_args(Target))}
    optional: Document = {
        "directory": choices.one(("/srv/faces", "/srv/my faces", "/srv/ü'$x{{y}}\"", "/srv/%h\\n#;")),
        "command": choices.one(("facemon", "/opt/f/bin/facemon", "/opt/my apps/f$")),
        "user": choices.one(("facemon", "_x", "a-b_1")),
        "runner": choices.distinct(2, 1),
    }
    if "airflow" in schedule["targets"]:
        optional["retrain"] = [choices.text() for _ in choices.times(3, 1)]
    chosen = choices.some(tuple(optional))
    read_by = {"user": {"cron", "systemd"}, "runner": {"github"}}
    read = [key for key in chosen if key not in read_by or read_by[key].intersection(schedule["targets"])]
    return schedule | {key: optional[key] for key in read}
