"""What is wrong with a configuration is told all at once, each fault at its place."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facemon.config.loader import dotted, load_config, parse_config
from facemon.errors import ConfigError
from facemon.finders.registry import FINDERS
from tests.config.config_files import faults_of, write

pytestmark = pytest.mark.usefixtures("empty_folder")


def test_all_faults_are_told_at_once_each_at_its_place() -> None:
    assert faults_of("""\
        model:
          name: m
          version: 2
          networks:
            - path: m.onnx
              input: {name: in, size: [64], mean: [.inf, 0, 0], std: [1, 0, 1]}
              attributes:
                - {name: beard, output: o, kind: binary, labels: [no, yes]}
                - {name: image, output: o, kind: categorical, labels: [a]}
                - {name: hair, output: o, kind: categorical, labels: [a]}
        drift: {min_rows: 0, significance: 1.5, columns: {x: {treshold: 0.1}}, cluster: surce}
        alerts:
          HighLatency: {threshold: 1e-3, for: 5, severty: info}
          HighLatncy: {}
        api: {listen: 8000, timeout: 12:30}
        exporter:
        alertmanager:
          smtp: {from: 5}
          routes: [{match: {severity: critical, 5: x}, receiver: r, continue: yes please}]
        api: {}
        predict: {threads: 010}
        """) == [
        '3:12: model.version: is the number 2, must be text; write "2"',
        "6:31: model.networks[0].input.size: has too few values: 1",
        "6:44: model.networks[0].input.mean[0]: is inf, must be a finite number",
        "6:62: model.networks[0].input.std: a standard deviation of 0 would divide by zero",
        '8:59: model.networks[0].attributes[0].labels[0]: is false, must be text; YAML reads no as false: write "no"',
        '8:63: model.networks[0].attributes[0].labels[1]: is true, must be text; YAML reads yes as true: write "yes"',
        "9:18: model.networks[0].attributes[1].name: 'image' is a column of the log; give the attribute another name",
        "10:62: model.networks[0].attributes[2].labels: a categorical attribute has at least two labels",
        "11:19: drift.min_rows: is 0, must be at least 1",
        "11:36: drift.significance: is 1.5, must be less than 1",
        "11:55: drift.columns.x.treshold: unknown key; did you mean threshold?",
        "11:81: drift.cluster: is 'surce', must be one of source, none; did you mean source?",
        "13:28: alerts.HighLatency.threshold: is text, must be a number; YAML reads 1e-3 as text: write 1.0e-3",
        "13:39: alerts.HighLatency.for: must be a duration: write a number and a unit, like 30s, 10m, 24h, 7d",
        "13:42: alerts.HighLatency.severty: unknown key; did you mean severity?",
        "14:3: alerts.HighLatncy: unknown key; did you mean HighLatency?",
        '15:15: api.listen: must be an address: write HOST:PORT in quotes, like "127.0.0.1:8001"',
        (
            "15:30: api.timeout: must be a duration: write a number and a unit, like 30s, 10m, 24h, 7d; "
            "YAML reads 12:30 as the number 750"
        ),
        "16:10: exporter: is empty, must be a mapping; remove the key, or write {}",
        "18:9: alertmanager.smtp.smarthost: is missing",
        '18:16: alertmanager.smtp.from: is the number 5, must be text; write "5"',
        '19:41: alertmanager.routes[0].match[5]: the key is the number 5, must be text; write "5"',
        "19:71: alertmanager.routes[0].continue: is text, must be true or false",
        "20:1: api: is there twice; the first is at line 15, column 1",
        '21:20: predict.threads: YAML reads 010 as the number 8 (octal); write "010" for text, 8 for the number',
    ]


def test_faults_that_show_only_in_a_whole_section_have_their_own_places() -> None:
    assert faults_of("""\
        alertmanager:
          receivers:
            - {name: a, email: [{to: x@example.com}]}
            - {name: a, webhook: [{url: "http://hook"}]}
          routes: [{match: {x: "y"}, receiver: b}, {match: {x: "z"}, receiver: c}]
        """) == [
        "3:24: alertmanager.receivers[0].email: needs alertmanager.smtp, the server to send by",
        "4:14: alertmanager.receivers[1].name: is 'a', the name of an earlier receiver",
        "5:40: alertmanager.routes[0].receiver: is 'b', not the name of a receiver (a, a)",
        "5:72: alertmanager.routes[1].receiver: is 'c', not the name of a receiver (a, a)",
    ]


def test_keys_that_the_finder_does_not_use_are_refused_at_their_places() -> None:
    assert faults_of("""\
        model:
          name: m
          version: "2"
          faces:
            finder: none
            margin: 0.5
            min_size: 20
            keep: largest
          networks:
            - path: m.onnx
              input: {name: in, size: [64, 64]}
              attributes: [{name: n, output: o, kind: number}]
        """) == [
        f"{place}: the finder none takes the whole image for the face; use {others_with(key)}, or remove {key}"
        for place, key in (
            ("6:13: model.faces.margin", "margin"),
            ("7:15: model.faces.min_size", "min_size"),
            ("8:11: model.faces.keep", "keep"),
        )
    ]


def others_with(key: str) -> str:
    """The finders with which a key of faces has an effect."""
    *most, last = [name for name, finder in FINDERS.items() if key not in finder.without_effect]
    assert {"dlib", "yunet"} <= set(most)
    return f"{', '.join(most)} or {last}"


def test_kinds_of_columns_that_are_no_other_columns_are_refused_at_their_places() -> None:
    assert faults_of("""\
        tables:
          columns: {gender: sex}
          source: camera
          kinds:
            site: categorical
            sex: categorical
            gender: ignore
            age_value: numerical
            camera: categorical
            image: ignore
        """) == [
        "6:10: tables.kinds.sex: is a column of the attribute gender, whose kind the model says",
        "7:13: tables.kinds.gender: is a column of the attribute gender, whose kind the model says",
        "8:16: tables.kinds.age_value: is a column of the attribute age, whose kind the model says",
        "9:13: tables.kinds.camera: names images, times or sources, which are not compared",
        "10:12: tables.kinds.image: names images, times or sources, which are not compared",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[1]", "1:1: is a list, must be a mapping of sections"),
        ("hello", "1:1: is text, must be a mapping of sections"),
        ("a: [\n", "2:1: a value is missing before this place, or a bracket is not closed"),
        ("on: 1", '1:1: [true]: the key is true, must be text; YAML reads on as true: write "on"'),
        ("directory: /", "1:1: directory: unknown key"),
        ("file_name: x.yaml", "1:1: file_name: unknown key"),
        ("absolute_paths: []", "1:1: absolute_paths: unknown key"),
        ("version: 2", "1:10: version: is 2, must be at most 1"),
        ("drift: !!python/tuple [1]",
         "1:8: drift: has a tag (!), which means nothing here; write the plain value"),
        ("store: {path: 5}", '1:15: store.path: is the number 5, must be text; write "5"'),
        ("store: {size: 5}", "1:9: store.size: unknown key; known here: mode, path, retention_days"),
        ("drift: {columns: {2026-01-02: {threshold: 0.1}}}",
         ("1:19: drift.columns[2026-01-02]: the key is a date, must be text; "
         'YAML reads 2026-01-02 as a date: write "2026-01-02"')),
        ("drift: {window: 0s}", "1:17: drift.window: must be longer than nothing"),
        ("drift: {window: 99999999999d}",
         "1:17: drift.window: '99999999999d' is too long: the longest duration is 999999999d"),
        ("drift: {data: {threshold: '0.5'}}",
         "1:27: drift.data.threshold: is text, must be a number; write 0.5 without quotes"),
        ("drift: {reference: ''}", "1:20: drift.reference: is empty, must not be"),
        ("tables: {kinds: {site: category}}",
         ("1:24: tables.kinds.site: is 'category', must be one of categorical, numerical, ignore; "
         "did you mean categorical?")),
        ("prometheus: {jobs: api}", "1:20: prometheus.jobs: is text, must be a list; put [ ] around it"),
        ("exporter: {collectors: [x]}", ("1:25: exporter.collectors[0]: must be MODULE:CLASS, like "
                                        "mypackage.metrics:Queue")),
        ("exporter: {probes: [{name: a, url: 'http://u:S3CRET@h/'}]}",
         ("1:36: exporter.probes[0].url: must be an address like https://example.com/path, "
         "without a user or a password")),
        ("exporter: {probes: [{name: a, url: 'file:///etc/passwd'}]}",
         ("1:36: exporter.probes[0].url: must be an address like https://example.com/path, "
         "without a user or a password")),
        ("exporter: {probes: [{name: a, url: 'http://h:99999/'}]}",
         "1:36: exporter.probes[0].url: has no host, or no port from 1 to 65535"),
        ("exporter: {probes: [{name: a, url: 'http://h/é'}]}",
         ("1:36: exporter.probes[0].url: may hold ASCII only: write other characters of a path as %xx, "
         "of a host as xn--…")),
        ("exporter: {probes: [{name: a, url: 'http://h'}, {name: a, url: 'http://i'}]}",
         "1:56: exporter.probes[1].name: is the name of another probe"),
        ("api: {trusted_proxies: [10.0.0.7, 10.0.0.1/8]}",
         ("1:35: api.trusted_proxies[1]: '10.0.0.1/8' is not an address or network: write 10.0.0.7 or 10.0.0.0/8, "
          "without bits after the prefix")),
        ("api: {allowed_hosts: ['http://faces.example.org']}",
         ("1:23: api.allowed_hosts[0]: 'http://faces.example.org' is not a host: write faces.example.org, .example.org "
          'or "*", without scheme and port')),
        ("exporter: {collectors: ['a:B', 'a:B']}", "1:32: exporter.collectors[1]: stands there already"),
        ("exporter: {probe_timeout: 15s}", "1:27: exporter.probe_timeout: must be shorter than probe_interval, 15s"),
        ("exporter: {collector_timeout: 10s}",
         "1:31: exporter.collector_timeout: must be shorter than 10s, when Prometheus gives up a scrape"),
        ("drift: {columns: {a.b: {threshold: 2}}}", "1:36: drift.columns['a.b'].threshold: is 2, must be at most 1"),
        ("tables: {values: {beard: {0: no, null: x}}}",
         ('1:30: tables.values.beard[0]: is false, must be text; YAML reads no as false: write "no"\n'
         '1:34: tables.values.beard[null]: the key is empty, must be text; YAML reads null as nothing: write "null"')),
    ],
)  # fmt: skip
def test_each_kind_of_fault(text: str, fault: str) -> None:
    assert faults_of(text) == fault.split("\n")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("grafana: {admin_password: S3CRET}",
         ("1:11: grafana.admin_password: a secret is not allowed here; put it into a file and name that with "
         "admin_password_file")),
        ("api: {token: S3CRET}", ("1:7: api.token: a secret is not allowed here; put it into a file and name that with "
                                 "tokens_file")),
        ("alertmanager: {smtp: {smarthost: 'a:1', from: a@b, smtp_auth_password: S3CRET}}",
         ("1:52: alertmanager.smtp.smtp_auth_password: a secret is not allowed here; put it into a file and name that "
         "with password_file")),
        ("alertmanager: {receivers: [{name: a, slack: [{api_url: 'https://S3CRET', channel: c}]}]}",
         ("1:47: alertmanager.receivers[0].slack[0].api_url: a secret is not allowed here; put it into a file and name "
         "that with api_url_file")),
        ("prometheus: {remote_write: [{url: 'http://a', bearer_token: S3CRET}]}",
         ("1:47: prometheus.remote_write[0].bearer_token: a secret is not allowed here; put it into a file and name "
         "that with bearer_token_file")),
        ("grafana: {admin_password: [010]}",
         ("1:11: grafana.admin_password: a secret is not allowed here; put it into a file and name that with "
         "admin_password_file")),
        ("smtp_auth_password: S3CRET", "1:1: smtp_auth_password: a secret is not allowed here; no key here takes one"),
        ("grafana: {admin_password_file: 'https://S3CRET'}",
         "1:32: grafana.admin_password_file: must name the file that holds the secret, not the secret itself"),
        ("grafana: {admin_password_file: 53237}", "1:32: grafana.admin_password_file: is a number, must be text"),
        ("grafana: {admin_password_file: !S3CRET }",
         ("1:32: grafana.admin_password_file: has a tag (!), which means nothing here; "
         "write the plain value, in quotes if it begins with !")),
        ("grafana: {admin_password: *S3CRET }",
         "1:27: an alias (*) names no anchor (&); quote text that begins with *"),
        ("prometheus: {remote_write: [{url: 'https://me:S3CRET@a/b'}]}",
         ("1:35: prometheus.remote_write[0].url: must be an address like https://example.com/path, "
         "without a user or a password")),
        ("grafana: {admin_password: 53:23}",
         ("1:11: grafana.admin_password: a secret is not allowed here; put it into a file and name that with "
         "admin_password_file")),
    ],
)  # fmt: skip
def test_a_literal_secret_is_refused_and_never_shown(text: str, fault: str) -> None:
    assert faults_of(text) == [fault]


@given(st.text(max_size=80))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_text_is_a_configuration_or_a_configuration_error(text: str) -> None:
    with suppress(ConfigError):
        assert parse_config(text, name="x", directory=Path()).version == 1


def test_a_method_of_evidently_that_is_not_named_keeps_its_default() -> None:
    config = load_config(write("drift: {evidently: {methods: {categorical: psi}}}"))
    assert config.drift.evidently.methods == {"categorical": "psi", "numerical": "wasserstein"}


def test_keys_are_named_as_they_are_written() -> None:
    assert dotted(("a", 0, "b-c", "d.e", True, None, "")) == "a[0].b-c['d.e'][true][null]['']"
