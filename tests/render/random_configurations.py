"""Random valid configurations over every key that the rendered stack depends on, with texts that break naive writers.

One function of a `random.Random` makes a document: Hypothesis drives it where a failure is to be made small, a
seed where the same configurations are wanted again. Limits are read from the models, so that they cannot grow apart.
"""

import re
from random import Random
from typing import get_args

import yaml
from hypothesis import strategies as st

from facemon.config.prometheus import REPLICA_LABEL, TRANSPORT_JOBS, Job, Transport
from facemon.config.schedule import Target
from facemon.config.stack import Service
from tests.render.random_alertmanager import random_alertmanager
from tests.render.random_alerts import OLD_VERSIONS, random_alerts
from tests.render.random_choices import LABELS, SHORT, Choices, Document


def configurations() -> st.SearchStrategy[str]:
    """YAML texts of valid configurations."""
    return st.randoms(use_true_random=False).map(_text_of)


def sampled(count: int, seed: int) -> list[str]:
    """The same `count` configurations for the same `seed`, on every machine."""
    return [_text_of(Random(f"{seed}/{number}")) for number in range(count)]


_JOB_NAME = re.compile(r"[\s\x00-\x1f]")
"""What no job's name may have."""


def _text_of(random: Random) -> str:
    document = _document(Choices(random))
    return yaml.dump(document, Dumper=yaml.CSafeDumper, allow_unicode=random.random() < 0.5, sort_keys=False, width=100)


def _document(choices: Choices) -> Document:
    prometheus = _prometheus(choices)
    alertmanager = {}
    alerts = random_alerts(choices, prometheus)
    if choices.maybe(0.8):
        alertmanager = random_alertmanager(choices, alerts)
    sections: Document = {
        "version": 1,
        "model": _model(choices),
        "drift": _drift(choices),
        "metrics": {"labels": {name: choices.text() for name in choices.some(("site", "rack", "_x"))}},
        "exporter": {"probes": [{"name": name, "url": "http://probe.example:1/x"} for name in choices.distinct(2)]},
        "prometheus": prometheus,
        "alerts": alerts,
        "alertmanager": alertmanager,
        "grafana": _grafana(choices),
        "stack": _stack(choices, prometheus["store_metrics_from"]),
        "schedule": _schedule(choices),
    }
    return {name: content for name, content in sections.items() if content}


def _model(choices: Choices) -> Document:
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


def _attribute(choices: Choices, name: str) -> Document:
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


def _drift(choices: Choices) -> Document:
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


def _prometheus(choices: Choices) -> Document:
    interval, windows = choices.one(
        (("500ms", ("2s", "10s", "5m")), ("1s", ("4s", "7s", "1m")), ("15s", ("1m", "5m")), ("2m30s", ("10m", "1h")))
    )
    transport = choices.one(get_args(Transport))
    jobs = choices.some(tuple(job for job in get_args(Job) if job != TRANSPORT_JOBS[transport]))
    jobs.insert(choices.random.randint(0, len(jobs)), TRANSPORT_JOBS[transport])
    replicas = choices.one((1, 1, 2, 3))
    section: Document = {
        "url": choices.url(),
        "scrape_interval": interval,
        "store_metrics_from": transport,
        "jobs": jobs,
        "retention": choices.one(("1h", "15d", "1d12h", "10w")),
        "external_labels": {
            name: text for name, text in choices.labels(("site", REPLICA_LABEL, *LABELS)).items()
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
    if choices.maybe(0.3):
        section["job_names"] = {job: f"{_JOB_NAME.sub('', choices.text())[:99]}-{job}" for job in choices.some(jobs)}
    if choices.maybe(0.3):
        section["target_labels"] = {name: choices.text() for name in choices.some(("namespace", "_target"))}
    if choices.maybe(0.2):
        section["target_version"] = choices.one((*OLD_VERSIONS, "3.5"))
    if choices.maybe():
        section["evaluation_interval"] = choices.one(SHORT)
    if choices.maybe():
        section["rate_window"] = choices.one(windows)
    if choices.maybe(0.3):
        section["alertmanagers"] = [choices.address(port) for port in choices.times(2)]
    return section


def _remote_write(choices: Choices, number: int) -> Document:
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


def _grafana(choices: Choices) -> Document:
    grafana: Document = {}
    if choices.maybe(0.8):
        grafana["admin_password_file"] = choices.secret()
    if choices.maybe():
        grafana["root_url"] = choices.url()
    if choices.maybe():
        grafana["folder"] = choices.text()
    source = {"name": choices.text(), "uid": "a-b_1", "url": choices.url(), "default": choices.maybe()}
    grafana["datasource"] = {key: source[key] for key in choices.some(tuple(source))}
    if choices.maybe(0.3):
        grafana["database"] = {"password_file": choices.secret(), "host": "postgres:5432"}
        grafana["database"] |= {key: choices.text() for key in choices.some(("name", "user"))}
    if choices.maybe(0.2):
        grafana["import_files"] = True
    return grafana


def _stack(choices: Choices, transport: str) -> Document:
    pinned = ("r.example:5000/a/b:v1.2.3", "a:1", "a/b@sha256:" + "0a" * 32)
    stack: Document = {"images": {service: choices.one(pinned) for service in choices.some(get_args(Service))}}
    optional: Document = {
        "listen": choices.one(("127.0.0.1", "0.0.0.0", "[::1]")),  # noqa: S104 - asked for
        "runbook_url": choices.url(),
        "secrets_dir": choices.one(("/run/secrets", "/run/secrets/", "/etc/$s", "/ü/{{x}}")),
        # What is for one transport would contradict another one.
        "for": choices.one(("full", "monitoring", "existing", *{"textfile", "pushgateway"}.intersection((transport,)))),
        "name": choices.one(("a", "north-1", "x" * 16)),
        "first_port": choices.one((1024, 20000, 65512)),
        "selinux": choices.maybe(),
        "reload": _reload(choices),
    }
    return stack | {key: optional[key] for key in choices.some(tuple(optional))}


def _reload(choices: Choices) -> Document:
    ways: list[Document] = [
        {"by": "compose"},
        {"by": "systemd", "unit": "p@1.service"},
        {"by": "pid_file", "pid_file": "run/p.pid"},
        {"by": "endpoint", "url": choices.url()},
    ]
    return {
        "timeout": choices.one(("1s", "5m")),
        "prometheus": choices.one(ways[:3]),
        "alertmanager": choices.one(ways) | {"url": choices.url()},
    }


def _schedule(choices: Choices) -> Document:
    lines = ("0 2 * * *", "*/15 * * * *", "5,35 0-6/2 1 1-12 1-5", "59 23 31 12 *", "0 0 * * 0,6", "0-59/20 */6 * * *")
    schedule: Document = {"drift_check": choices.one(lines), "targets": choices.some(get_args(Target))}
    optional: Document = {
        "directory": choices.one(("/srv/faces", "/srv/my faces", "/srv/ü'$x{{y}}\"", "/srv/%h\\n#;")),
        "command": choices.one(("facemon", "/opt/f/bin/facemon", "/opt/my apps/f$")),
        "user": choices.one(("facemon", "_x", "a-b_1")),
        "runner": choices.distinct(2, 1),
        "checks": choices.one((["data"], ["model"], ["model", "data"])),
        "export": choices.one(
            ({"textfile": "/var/lib/n e/f.prom"}, {"pushgateway": "http://p:9091", "times": "5 * * * *"})
        ),
    }
    if "airflow" in schedule["targets"]:
        optional["retrain"] = [choices.text() for _ in choices.times(3, 1)]
    chosen = choices.some(tuple(optional))
    read_by = {"export": {"cron", "systemd"}, "user": {"cron", "systemd"}, "runner": {"github"}}
    read = [key for key in chosen if key not in read_by or read_by[key].intersection(schedule["targets"])]
    return schedule | {key: optional[key] for key in read}
