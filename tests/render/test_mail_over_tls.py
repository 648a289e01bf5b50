"""Mail over port 465, where TLS begins with the connection: delivered by real Alertmanagers of both generations."""

import secrets
import ssl
from pathlib import Path

import pytest

from facemon.render.alertmanager_config import alertmanager_config
from facemon.render.stack_text import yaml_text
from tests.mail_sink import MailSink
from tests.metrics.gateways import write_certificate
from tests.render.configurations import config_of
from tests.servers import post_alerts, run_alertmanager

CONFIGURATION = """
alertmanager:
  target_version: "0.25"
  smtp: {{smarthost: "{smarthost}", from: alerts@example.com{more}}}
  receivers: [{{name: team, email: [{{to: team@example.com}}]}}]
  group_wait: 0s
stack: {{secrets_dir: "{folder}"}}
"""


def rendered(smarthost: str, folder: Path, more: str = "") -> dict[str, object]:
    return alertmanager_config(config_of(CONFIGURATION.format(smarthost=smarthost, folder=folder, more=more)))


@pytest.mark.servers
def test_mail_over_port_465_arrives(each_generation: Path, tmp_path: Path) -> None:
    host = f"127.{secrets.randbelow(254) + 1}.{secrets.randbelow(256)}.{secrets.randbelow(254) + 1}"
    certificate = write_certificate(tmp_path, host)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, certificate.with_suffix(".key"))
    (tmp_path / "password").write_text("secret")
    try:
        sink = MailSink(host, 465, tls)
    except PermissionError:
        pytest.skip("this user may not listen on port 465: sysctl net.ipv4.ip_unprivileged_port_start=465 allows it")
    file = tmp_path / "alertmanager.yml"
    more = f', username: alerts, password_file: "{tmp_path}/password"'
    file.write_text(yaml_text(rendered(sink.address, tmp_path, more)), encoding="utf-8")
    authorities = {"SSL_CERT_FILE": str(certificate)}
    with sink, run_alertmanager(each_generation, file, tmp_path, env=authorities) as alertmanager:
        post_alerts(alertmanager.url, {"labels": {"alertname": "X"}, "annotations": {}})
        assert sink.wait_for()["To"] == "team@example.com"


@pytest.mark.parametrize(
    ("smarthost", "more", "asks_for_starttls"),
    [
        ("mail:465", "", False),
        ("mail:465", ", require_tls: true", False),
        ("mail:587", "", True),
        ("mail:1465", "", True),
        ("465:25", "", True),
        ("mail:25", ", require_tls: false", False),
    ],
)
def test_starttls_is_asked_for_unless_tls_is_there_already(
    smarthost: str, more: str, asks_for_starttls: bool, tmp_path: Path
) -> None:
    content = rendered(smarthost, tmp_path, more)
    assert content["global"]["smtp_require_tls"] is asks_for_starttls  # type: ignore[index]
