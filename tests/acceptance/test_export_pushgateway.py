"""Exports to a real Pushgateway."""

import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from facemon.store.ledger.opening import open_ledger
from tests.acceptance.exports import entered_runs, own_runs, scrape, values_of
from tests.conftest import RunFacemon
from tests.metrics.gateways import dawdling_gateway, gateway, write_certificate
from tests.metrics.stores import logged_folder
from tests.servers import free_port, run_pushgateway
from tests.store.log_rows import log_images

COMMAND = Path(sys.executable).with_name("facemon")
NO_PROXY = {"no_proxy": "127.0.0.1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a log of 50 images and a drift check."""
    return logged_folder(tmp_path)


def test_the_variables_of_a_push(facemon: RunFacemon, folder: Path) -> None:
    (folder / "password").write_text("s3cret\n")
    with gateway(authorization="Basic bWU6czNjcmV0") as server:
        given = {
            "PUSHGATEWAY": server.url, "JOB": "night", "GROUPING": "instance=a site=b", "USER": "me",
            "PASSWORD_FILE": "password", "TIMEOUT": "5", "EXPORT": "drift",
        }  # fmt: skip
        env = NO_PROXY | {f"FACEMON_EXPORT_METRICS_{name}": value for name, value in given.items()}
        pushed = facemon("export-metrics", cwd=folder, env=env)
    assert (pushed.returncode, pushed.stdout) == (0, ""), pushed.stderr
    note, told = pushed.stderr.splitlines()
    assert note.startswith(
        "note: rules and dashboards sum series that differ only in site; to keep stores apart, set metrics.labels"
    )
    assert told == f"pushed to job 'night', instance='a', site='b' on {server.url}"
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("PUT", "/metrics/job/night/instance/a/site/b")
    values = values_of(asked.body)
    assert ("drift_score", "gender", "model", "faces@1") in values
    assert ("images_processed_total", "ok") not in values
    (entered,) = entered_runs(folder)
    assert entered.last_success is not None
    assert own_runs(values)["facemon_last_success_timestamp_seconds"] == entered.last_success / 1e6


@pytest.mark.parametrize("how", ["basic", "bearer"])
def test_a_secret_is_never_printed(facemon: RunFacemon, folder: Path, how: str) -> None:
    (folder / "secret").write_text("s3cret\n")
    who = ("--user", "me", "--password-file", "secret") if how == "basic" else ("--token-file", "secret")
    with gateway(authorization="another") as server:
        refused = facemon(
            "export-metrics", "--pushgateway", server.url, *who, "-v", "--debug", cwd=folder, env=NO_PROXY
        )
    assert refused.returncode == 1
    assert "did not take the metrics: 401 Unauthorized" in refused.stderr
    sent = server.asked[0].headers["Authorization"]
    assert sent.split()[0].lower() == how
    for shown in ("s3cret", sent.split()[1]):
        assert shown not in refused.stderr + refused.stdout


def test_a_secret_in_the_open_is_said(facemon: RunFacemon, folder: Path) -> None:
    (folder / "secret").write_text("s3cret\n")
    url = "http://gateway.invalid:9091"
    arguments = ("export-metrics", "--pushgateway", url, "--token-file", "secret", "--timeout", "5")
    outcome = facemon(*arguments, cwd=folder, env={"no_proxy": "*"})
    assert outcome.returncode == 1
    assert f"note: the secret goes to {url} unencrypted" in outcome.stderr
    assert "unencrypted" not in facemon(*arguments, "-q", cwd=folder, env={"no_proxy": "*"}).stderr


def test_tls(facemon: RunFacemon, folder: Path) -> None:
    certificate = write_certificate(folder)
    with gateway(certificate=certificate) as server:
        refused = facemon("export-metrics", "--pushgateway", server.url, cwd=folder, env=NO_PROXY)
        assert refused.returncode == 1
        assert "self-signed certificate" in refused.stderr
        assert "with --ca-file" in refused.stderr
        assert server.asked == []
        trusted = ("--pushgateway", server.url, "--ca-file", certificate)
        assert facemon("export-metrics", *trusted, cwd=folder, env=NO_PROXY).returncode == 0
    (asked,) = server.asked
    assert values_of(asked.body)["images_processed_total", "ok"] == 40


def test_a_server_that_never_answers(facemon: RunFacemon, folder: Path) -> None:
    with dawdling_gateway(drips=True) as url:
        outcome = facemon("export-metrics", "--pushgateway", url, "--timeout", "0.7", cwd=folder, env=NO_PROXY)
    assert (outcome.returncode, "within 0.7 s" in outcome.stderr) == (1, True), outcome.stderr
    (entered,) = entered_runs(folder)
    assert entered.last_success is None
    assert entered.seconds > 0.7


def test_deleting_needs_no_store_and_is_no_export(facemon: RunFacemon, tmp_path: Path, folder: Path) -> None:
    (tmp_path / "bare").mkdir()
    with gateway(status=202) as server:
        for place in (tmp_path / "bare", folder):
            deleted = facemon("export-metrics", "--pushgateway", server.url, "--delete", cwd=place, env=NO_PROXY)
            assert (deleted.returncode, deleted.stderr) == (0, f"deleted job 'facemon' on {server.url}\n")
    assert [asked.method for asked in server.asked] == ["DELETE", "DELETE"]
    assert entered_runs(folder) == []


def test_a_pushgateway_that_does_not_answer(facemon: RunFacemon, folder: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    outcome = facemon("export-metrics", "--pushgateway", url, cwd=folder, env=NO_PROXY)
    assert outcome.returncode == 1
    assert f"the Pushgateway at {url} did not take the metrics: [Errno 111] Connection refused" in outcome.stderr
    (entered,) = entered_runs(folder)
    assert (entered.last_success, entered.seconds > 0) == (None, True)


@pytest.mark.servers
def test_a_pushgateway_takes_it(facemon: RunFacemon, servers: Path, folder: Path) -> None:
    def push(*arguments: str) -> None:
        outcome = facemon("export-metrics", "--pushgateway", server.url, *arguments, cwd=folder, env=NO_PROXY)
        assert outcome.returncode == 0, outcome.stderr

    def images() -> dict[str, float]:
        """The good images of each group, by the group's labels."""
        return {
            ",".join(
                f"{name}={sample.labels[name]}" for name in sorted(sample.labels) if name != "status"
            ): sample.value
            for family in text_string_to_metric_families(scrape(server.url))
            for sample in family.samples
            if sample.name == "images_processed_total" and sample.labels["status"] == "ok"
        }

    with run_pushgateway(servers, folder) as server:
        push()
        push()
        assert images() == {"instance=,job=facemon": 40}
        with open_ledger(folder / ".facemon") as ledger:
            log_images(ledger, 10)
        push("--job", "a/b", "--grouping", "instance=größe 1", "--grouping", "site=")
        push("--job", "..", "--export", "model")
        groups = {"instance=,job=facemon": 40, "instance=größe 1,job=a/b,site=": 48, "instance=,job=..": 48}
        assert images() == groups
        push()
        assert images() == groups | {"instance=,job=facemon": 48}
        push("--export", "drift")
        del groups["instance=,job=facemon"]
        assert images() == groups
        text = scrape(server.url)
        assert 'drift_score{attribute="gender",check="model",instance="",job="facemon",model="faces@1"} 0.25' in text
        assert 'facemon_last_success_timestamp_seconds{command="export-metrics",instance="",job="facemon"}' in text
        push("--job", "a/b", "--grouping", "instance=größe 1", "--grouping", "site=", "--delete")
        assert images() == {"instance=,job=..": 48}
        push("--job", "..", "--delete")
        push("--delete")
        push("--delete")
        assert "push_time_seconds{" not in scrape(server.url)
