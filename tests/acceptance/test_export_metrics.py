"""`facemon export-metrics` as its user runs it, accepted by promtool, node-exporter and a Pushgateway that are real."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from facemon import __version__
from facemon.errors import ExitCode
from facemon.store.command_runs import CommandRun, read_command_runs, record_command
from facemon.store.ledger import LEDGER_NAME, Ledger
from tests.conftest import RunFacemon
from tests.metrics.gateways import dawdling_gateway, gateway, write_certificate
from tests.metrics.stores import AT, CONFIGURATION, DRIFT, check_model, column
from tests.servers import free_port, run_node_exporter, run_pushgateway
from tests.store.log_rows import log_images

COMMAND = Path(sys.executable).with_name("facemon")
NO_PROXY = {"no_proxy": "127.0.0.1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a log of 50 images and a drift check."""
    (tmp_path / "facemon.yaml").write_text(CONFIGURATION)
    with Ledger.open(tmp_path / ".facemon", create=True) as ledger:
        log_images(ledger, 50)
        check_model(ledger, column("gender", DRIFT, 0.25))
    return tmp_path


def scrape(url: str) -> str:
    host = url.removeprefix("http://")
    connection = HTTPConnection(host, timeout=10)
    connection.request("GET", "/metrics")
    try:
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def values_of(text: str) -> dict[tuple[str, ...], float]:
    return {
        (s.name, *s.labels.values()): s.value for family in text_string_to_metric_families(text) for s in family.samples
    }


def own_runs(values: Mapping[tuple[str, ...], float]) -> dict[str, float]:
    """What is told of export-metrics itself."""
    return {key[0]: value for key, value in values.items() if key[1:] == ("export-metrics",)}


def entered_runs(folder: Path) -> list[CommandRun]:
    with Ledger.open(folder / ".facemon") as ledger:
        return [run for run in read_command_runs(ledger.connection) if run.command == "export-metrics"]


def test_stdout(facemon: RunFacemon, folder: Path) -> None:
    outcome = facemon("export-metrics", cwd=folder)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    values = values_of(outcome.stdout)
    assert values["images_processed_total", "ok"] == 40
    assert values["drift_score", "gender", "model"] == 0.25
    again = facemon("export-metrics", "-o", "-", cwd=folder).stdout
    assert [line for line in again.splitlines() if 'command="export-metrics"' not in line] == [
        line for line in outcome.stdout.splitlines() if 'command="export-metrics"' not in line
    ]


@pytest.mark.parametrize("export", ["all", "model", "drift"])
def test_the_first_export_tells_of_its_own_success_as_it_is_entered(
    facemon: RunFacemon, folder: Path, export: str
) -> None:
    before = time.time()
    told = values_of(facemon("export-metrics", "--export", export, cwd=folder).stdout)
    (entered,) = entered_runs(folder)
    assert entered.last_success is not None
    assert own_runs(told) == {
        "facemon_last_success_timestamp_seconds": entered.last_success / 1e6,
        "facemon_last_run_duration_seconds": entered.seconds,
    }
    assert before < entered.last_success / 1e6 < time.time()
    assert 0 < entered.seconds < time.time() - before
    assert told["facemon_build_info", __version__] == 1


@pytest.mark.parametrize(
    ("export", "has", "lacks"),
    [("model", "images_processed_total", "drift_score"), ("drift", "drift_score", "images_processed_total")],
)
def test_a_part(facemon: RunFacemon, folder: Path, export: str, has: str, lacks: str) -> None:
    text = facemon("export-metrics", "--export", export, cwd=folder).stdout
    assert (has in text, lacks in text, "facemon_source_up" in text) == (True, False, True)


def test_a_store_that_breaks_leaves_the_old_textfile(facemon: RunFacemon, folder: Path, open_folder: Path) -> None:
    path = open_folder / "facemon.prom"
    made = facemon("export-metrics", "--textfile", path, cwd=folder)
    assert (made.returncode, made.stdout, made.stderr) == (0, "", f"wrote {path}\n")
    assert path.stat().st_mode & 0o777 == 0o644
    before = path.read_text()
    (folder / ".facemon" / LEDGER_NAME).write_bytes(b"no database" * 500)
    outcome = facemon("export-metrics", "--textfile", path, cwd=folder)
    assert (outcome.returncode, "is no facemon ledger" in outcome.stderr) == (1, True)
    assert path.read_text() == before
    assert list(open_folder.iterdir()) == [path]


def test_a_success_that_cannot_be_entered_leaves_the_old_textfile(folder: Path, open_folder: Path) -> None:
    path = open_folder / "facemon.prom"
    path.write_text("old\n")
    with Ledger.open(folder / ".facemon") as ledger:
        # A write-ahead log beyond the limit that is set below: as on a full disk, nothing can be added to it.
        ledger.connection.execute("PRAGMA wal_autocheckpoint = 0")
        for seconds in range(40):
            record_command(ledger, "predict", AT, float(seconds), ExitCode.OK)
        outcome = subprocess.run(
            [COMMAND, "export-metrics", "--textfile", path],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
        )
    assert outcome.returncode == 1, outcome.stderr
    assert f"the store in {folder / '.facemon'} failed" in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert path.read_text() == "old\n"
    assert list(open_folder.iterdir()) == [path]
    assert entered_runs(folder) == []


def test_a_textfile_that_cannot_be_put_in_place_is_no_success(folder: Path, open_folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root makes a file that its own user may not replace")
    path = open_folder / "facemon.prom"
    path.write_text("old\n")
    subprocess.run(["chattr", "+i", path], check=False, capture_output=True)
    try:
        outcome = subprocess.run(
            [COMMAND, "export-metrics", "--textfile", path], cwd=folder, capture_output=True, text=True, check=False
        )
    finally:
        changed = subprocess.run(["chattr", "-i", path], check=False, capture_output=True)
    if changed.returncode != 0:
        pytest.skip("this file system knows no immutable files")
    assert outcome.returncode == 1, outcome.stderr
    assert "cannot be written: Operation not permitted" in outcome.stderr
    assert path.read_text() == "old\n"
    assert list(open_folder.iterdir()) == [path]
    (entered,) = entered_runs(folder)
    assert entered.last_success is None


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--textfile", "facemon.txt"), 1, "hint: name it facemon.prom"),
        (("--textfile", "."), 1, "node-exporter takes only *.prom"),
        (("--textfile", "missing/facemon.prom"), 1, "cannot be written: there is no folder"),
        (("--textfile", "facemon.prom"), 1, "is closed to other users"),
        (("-o", "facemon.prom"), 2, "use --textfile PATH"),
        (("-o", "-", "--textfile", "facemon.prom"), 2, "exclude each other"),
        (("--textfile", "a.prom", "--pushgateway", "http://127.0.0.1:1"), 2, "exclude each other"),
        (("--textfile", "a.prom", "--job", "night"), 2, "--job says how to push"),
        (("--pushgateway", "http://127.0.0.1:port"), 2, "is no address of a Pushgateway"),
        (("--pushgateway", "http://127.0.0.1:1", "--grouping", "job=a"), 2, "write --job NAME"),
        (("--pushgateway", "http://127.0.0.1:1", "--timeout", "soon"), 2, "Invalid value for '--timeout'"),
        (("--pushgateway", "http://127.0.0.1:1", "--delete", "--export", "all"), 2, "leave out --export"),
        (("--delete",), 2, "--delete says how to push"),
        (("--export", "nothing"), 2, "'all', 'model', 'drift'"),
    ],
)
def test_what_cannot_be_exported(
    facemon: RunFacemon, folder: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    folder.chmod(0o700)
    outcome = facemon("export-metrics", *arguments, cwd=folder)
    assert (outcome.returncode, said in outcome.stderr) == (code, True), outcome.stderr
    assert "unexpectedly" not in outcome.stderr
    assert sorted(p.name for p in folder.iterdir()) == [".facemon", "facemon.yaml"]


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
    assert pushed.stderr == f"pushed to job 'night', instance='a', site='b' on {server.url}\n"
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("PUT", "/metrics/job/night/instance/a/site/b")
    values = values_of(asked.body)
    assert ("drift_score", "gender", "model") in values
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
        assert "hint: --ca-file" in refused.stderr
        assert server.asked == []
        trusted = ("--pushgateway", server.url, "--ca-file", certificate)
        assert facemon("export-metrics", *trusted, cwd=folder, env=NO_PROXY).returncode == 0
    (asked,) = server.asked
    assert values_of(asked.body)["images_processed_total", "ok"] == 40


def test_a_server_that_never_answers(facemon: RunFacemon, folder: Path) -> None:
    with dawdling_gateway(drips=True) as url:
        began = time.monotonic()
        outcome = facemon("export-metrics", "--pushgateway", url, "--timeout", "0.7", cwd=folder, env=NO_PROXY)
        assert time.monotonic() - began < 5
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
@pytest.mark.parametrize("export", ["all", "model", "drift"])
def test_promtool_accepts_it(facemon: RunFacemon, servers: Path, folder: Path, export: str) -> None:
    facemon("export-metrics", cwd=folder)
    text = facemon("export-metrics", "--export", export, "-o", "-", cwd=folder).stdout
    command = [str(servers / "usr" / "bin" / "promtool"), "check", "metrics"]
    outcome = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert (outcome.returncode, outcome.stdout + outcome.stderr) == (0, "")


@pytest.mark.servers
def test_node_exporter_reads_the_textfile(facemon: RunFacemon, servers: Path, folder: Path, open_folder: Path) -> None:
    textfiles = open_folder / "textfiles"
    textfiles.mkdir(mode=0o755)
    assert facemon("export-metrics", "--textfile", textfiles / "facemon.prom", cwd=folder).returncode == 0
    with run_node_exporter(servers, textfiles, folder) as server:
        text = scrape(server.url)
    assert "node_textfile_scrape_error 0" in text
    assert 'images_processed_total{status="ok"} 40' in text
    assert 'drift_score{attribute="gender",check="model"} 0.25' in text
    assert 'model_confidence_score_bucket{attribute="gender",le="+Inf"} 45' in text
    assert 'facemon_last_success_timestamp_seconds{command="export-metrics"}' in text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_another_user_reads_what_was_written_and_could_not_what_was_refused(
    facemon: RunFacemon, folder: Path, open_folder: Path
) -> None:
    path = open_folder / "a" / "facemon.prom"
    path.parent.mkdir()
    assert facemon("export-metrics", "--textfile", path, cwd=folder).returncode == 0
    as_nobody = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "sh",
        "-c",
        f"ls {path.parent}; cat {path}",
    ]
    assert subprocess.run(as_nobody, capture_output=True, text=True, check=True).stdout.startswith("facemon.prom\n#")
    for closed in (path.parent, open_folder):
        closed.chmod(0o700)
        assert facemon("export-metrics", "--textfile", path, cwd=folder).returncode == 1
        assert subprocess.run(as_nobody, capture_output=True, check=False).returncode != 0
        closed.chmod(0o755)


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
        with Ledger.open(folder / ".facemon") as ledger:
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
        assert 'drift_score{attribute="gender",check="model",instance="",job="facemon"} 0.25' in text
        assert 'facemon_last_success_timestamp_seconds{command="export-metrics",instance="",job="facemon"}' in text
        push("--job", "a/b", "--grouping", "instance=größe 1", "--grouping", "site=", "--delete")
        assert images() == {"instance=,job=..": 48}
        push("--job", "..", "--delete")
        push("--delete")
        push("--delete")
        assert "push_time_seconds{" not in scrape(server.url)
