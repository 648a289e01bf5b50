"""Addresses that hold a secret in the open are refused, and no message shows a path or a query."""

import pytest

from facemon.config.web_address import origin, without_secrets
from tests.config.config_files import faults_of
from tests.conftest import RunFacemon

SECRET = "s3cr3t4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f"


@pytest.mark.parametrize(
    "url",
    [
        f"https://h/x?token={SECRET}",
        "https://h/x?a=1&api_key=x",
        "https://h?ACCESS_TOKEN=x",
        "https://h/x?X-Amz-Signature=x",
        "https://h/x?sv=1&sig=x",
        "https://h/api/f?code=x",
        "https://h/x?auth=",
        "https://h/x?my-password=x",
        f"https://h/x?{SECRET}",
        f"https://h/x?id={SECRET}",
        "https://h/x?a=1&%74oken=x",
        f"https://hooks.slack.com/services/T0/B0/{SECRET}",
        f"https://discord.com/api/webhooks/1/{SECRET}",
        f"https://tenant.webhook.office.com/webhookb2/{SECRET}",
        f"https://HOOKS.slack.com:443/services/T0/B0/{SECRET}",
    ],
)
def test_a_secret_in_an_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ValueError, match=r"shows a secret in its (query|path)") as caught:
        without_secrets(url)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:9090/-/healthy",
        "https://h/health?ready=1&verbose",
        "https://wiki/x?page=Runbooks/DriftDetected&lang=en",
        "https://h/x?keyboard=1&monkey=2&encode=3&author=4&design=5",
        "https://hooks.slack.example/services/x",
        "https://api.example.com/tokens",
        "https://slack.com/services/x",
    ],
)
def test_other_addresses_are_taken(url: str) -> None:
    assert without_secrets(url) == url


@pytest.mark.usefixtures("empty_folder")
def test_every_key_with_an_address_refuses_a_secret() -> None:
    url = f"https://h/x?token={SECRET}"
    for text in (
        f"exporter: {{probes: [{{name: a, url: '{url}'}}]}}",
        f"prometheus: {{remote_write: [{{url: '{url}'}}]}}",
        f"alertmanager: {{receivers: [{{name: a, webhook: [{{url: '{url}'}}]}}]}}",
        f"prometheus: {{url: '{url}'}}",
        f"alertmanager: {{url: '{url}'}}",
        f"grafana: {{root_url: '{url}'}}",
        f"stack: {{runbook_url: '{url}'}}",
    ):
        (fault,) = faults_of(text)
        assert "shows a secret in its" in fault
        assert SECRET not in fault


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://h:9091", "http://h:9091"),
        ("http://h:9091/", "http://h:9091"),
        (f"https://u:p@h/{SECRET}/x", "https://h/…"),
        (f"https://h?{SECRET}", "https://h/…"),
        ("http://[::1]:9091", "http://[::1]:9091"),
    ],
)
def test_a_message_shows_the_origin_alone(url: str, shown: str) -> None:
    assert origin(url) == shown


def test_a_pushgateway_s_path_and_query_are_not_shown(
    facemon: RunFacemon, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("push")
    facemon("predict", "-", "-q", cwd=folder, stdin="none.jpg\n")
    for url in (
        f"http://127.0.0.1:1/{SECRET}",
        f"http://127.0.0.1:1/?token={SECRET}",
        f"http://127.0.0.1:1/#{SECRET}",
        f"http://user:{SECRET}@127.0.0.1:1/",
        f"ftp://127.0.0.1/{SECRET}",
        f"http://127.0.0.1:x/{SECRET}",
        f"http://127.0.0.1:1/{SECRET}\u00e9",
    ):
        for more in ([], ["--delete"], ["--ca-file", "none.pem"]):
            answer = facemon("export-metrics", "--pushgateway", url, *more, cwd=folder)
            assert answer.returncode in (1, 2)
            assert SECRET not in answer.stdout + answer.stderr, (url, answer.stderr)
