"""Ways to change one part of a running stack, each until a block ends; the doctor must name the part."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree, ignore_patterns

from tests.doctor.healthy import log_rows
from tests.doctor.running import Running
from tests.patience import wait_until
from tests.server.exporters import exporter
from tests.servers import query


@contextmanager
def older_rules(stack: Running) -> Iterator[None]:
    """Render a new limit, and let Prometheus read it only when the block ends."""
    limit = "alerts: {DriftDetected: {threshold: 0.3}}\n"
    with _changed(stack.folder / "facemon.yaml", lambda text: text + limit, lambda: _render(stack)):
        yield
    stack.reload_prometheus()


@contextmanager
def silenced(stack: Running, names: str) -> Iterator[None]:
    """Silence the alerts whose names match."""
    silence = {
        "matchers": [{"name": "alertname", "value": names, "isRegex": True}],
        "startsAt": datetime.now(UTC).isoformat(), "endsAt": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
        "createdBy": "ops", "comment": "the rack is moved",
    }  # fmt: skip
    url = f"{stack.alertmanager.url}/api/v2"
    request = urllib.request.Request(
        f"{url}/silences", json.dumps(silence).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        name = json.load(answer)["silenceID"]
    try:
        yield
    finally:
        with suppress(urllib.error.HTTPError):  # one that has ended
            urllib.request.urlopen(urllib.request.Request(f"{url}/silence/{name}", method="DELETE")).close()


@contextmanager
def route_in_front(stack: Running) -> Iterator[None]:
    """Lead the alerts of two areas to a receiver that tells nobody, before all other routes."""

    def merged(text: str) -> str:
        front = "  routes:\n  - {receiver: nowhere, matchers: ['area=~\"drift|stack\"']}\n"
        return text.replace("  routes:\n", front, 1).replace("\nreceivers:\n", "\nreceivers:\n- name: nowhere\n", 1)

    with _changed(_alertmanager_file(stack), merged, lambda: _reload_alertmanager(stack)):
        yield


@contextmanager
def inhibited_by_the_watchdog(stack: Running) -> Iterator[None]:
    """Let what always fires keep the alerts on drift silent."""
    rule = "- {source_matchers: ['alertname=\"Watchdog\"'], target_matchers: ['area=\"drift\"']}\n"
    with _changed(
        _alertmanager_file(stack),
        lambda text: text.replace("inhibit_rules:\n", f"inhibit_rules:\n{rule}"),
        lambda: _reload_alertmanager(stack),
    ):
        yield


@contextmanager
def another_store(stack: Running) -> Iterator[None]:
    """Serve a copy of the store that has more rows, as an exporter of another user does."""
    other = stack.folder / "other"
    copytree(stack.folder, other, ignore=ignore_patterns("textfiles", "node", "am", "prometheus", "monitoring"))
    log_rows(other, ago=timedelta(hours=1), seed=4, rows=10)
    stack.exporter.close()
    try:
        with exporter(other, listen=None):
            yield
    finally:
        stack.exporter.enter_context(exporter(stack.folder, listen=None))


@contextmanager
def samples_dropped(stack: Running) -> Iterator[None]:
    """Drop the metrics of drift in the scrape job, which stays up."""
    drop = "  metric_relabel_configs:\n  - {source_labels: [__name__], regex: 'drift_.*', action: drop}\n"
    with _changed(
        _scrape_file(stack),
        lambda text: re.sub(r"- job_name: .*\n", lambda job: job[0] + drop, text, count=1),
        stack.reload_prometheus,
    ):
        wait_until(lambda: not query(stack.prometheus.url, "drift_score"), "the metrics to go")
        yield
    wait_until(lambda: query(stack.prometheus.url, "drift_score"), "the metrics")


@contextmanager
def scraped_twice(stack: Running) -> Iterator[None]:
    """Scrape a second exporter of the same store."""
    ups = 'up{job="exporter"} == 1'

    with exporter(stack.folder, listen="127.0.0.1:0") as second:

        def with_second(text: str) -> str:
            target = rf'\g<0>    - "127.0.0.1:{second.port}"\n'
            return re.sub(r"job_name: exporter\n(?:  .*\n)*?  - targets:\n", target, text)

        with _changed(_scrape_file(stack), with_second, stack.reload_prometheus):
            wait_until(lambda: len(query(stack.prometheus.url, ups)) == 2, "the second")
            yield
            # Gone before it stops: a target that is down is another finding.
        wait_until(lambda: len(query(stack.prometheus.url, ups)) == 1, "one")


@contextmanager
def by_textfile(stack: Running, folder: str) -> Iterator[None]:
    """Let the store's metrics leave by a textfile in a folder below `textfiles`; node-exporter reads `read`."""
    path = (stack.folder / "textfiles").resolve() / folder
    path.mkdir(exist_ok=True)
    file = path / "facemon.prom"
    schedule = f"schedule: {{targets: [cron], export: {{textfile: {file}}}}}\n"
    with _by(stack, "textfile", lambda text: text + schedule):
        exported = stack.facemon("-q", "export-metrics", "--textfile", file, cwd=stack.folder)
        assert exported.returncode == 0, exported.stderr
        if folder == "read":
            wait_until(lambda: query(stack.prometheus.url, 'drift_score{job="node"}'), "the textfile")
        yield
    file.unlink()


@contextmanager
def by_pushgateway(stack: Running, url: str) -> Iterator[None]:
    """Let the store's metrics leave by a Pushgateway."""

    def with_gateway(text: str) -> str:
        text = text.replace("jobs: [exporter, node]", "jobs: [exporter, node, pushgateway]")
        return text.replace("targets: {", f'targets: {{pushgateway: ["{url.removeprefix("http://")}"], ')

    with _by(stack, "pushgateway", with_gateway):
        exported = stack.facemon("-q", "export-metrics", "--pushgateway", url, cwd=stack.folder)
        assert exported.returncode == 0, exported.stderr
        wait_until(lambda: query(stack.prometheus.url, 'drift_score{job="facemon"}'), "what was pushed")
        yield


@contextmanager
def _by(stack: Running, transport: str, change: Callable[[str], str]) -> Iterator[None]:
    def reloaded() -> None:
        _render(stack)
        stack.reload_prometheus()

    def changed(text: str) -> str:
        return change(text.replace("\nprometheus:\n", f"\nprometheus:\n  store_metrics_from: {transport}\n"))

    with _changed(stack.folder / "facemon.yaml", changed, reloaded):
        wait_until(lambda: not query(stack.prometheus.url, 'drift_score{job="exporter"}'), "the exporter's to go")
        yield
    wait_until(lambda: query(stack.prometheus.url, 'drift_score{job="exporter"}'), "the exporter's")


@contextmanager
def _changed(path: Path, change: Callable[[str], str], read: Callable[[], object]) -> Iterator[None]:
    """Change a file until the block ends; what reads it does so both times."""
    before = path.read_text()
    after = change(before)
    assert after != before
    path.write_text(after)
    try:
        read()
        yield
    finally:
        path.write_text(before)
        read()


def _render(stack: Running) -> None:
    rendered = stack.facemon("-q", "render-config", "--prune", cwd=stack.folder)
    assert rendered.returncode == 0, rendered.stderr


def _reload_alertmanager(stack: Running) -> None:
    urllib.request.urlopen(urllib.request.Request(f"{stack.alertmanager.url}/-/reload", method="POST")).close()


def _scrape_file(stack: Running) -> Path:
    return stack.rules.with_name("prometheus.yml")


def _alertmanager_file(stack: Running) -> Path:
    return stack.folder / "monitoring" / "alertmanager" / "alertmanager.yml"
