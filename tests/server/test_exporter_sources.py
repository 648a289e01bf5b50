"""What the exporter shows beside the store: services that it probes, and collectors of others."""

import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from facemon.metrics.service_probes import answers
from tests.conftest import RunFacemon
from tests.server.exporters import Exporter, exporter

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_metrics.py"


class Service:
    """An external service whose mood a test can change."""

    def __init__(self) -> None:
        self.mood = "up"
        self.asked = 0
        self.released = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.asked += 1
                service.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        match self.mood:
            case "hangs":
                self.released.wait(20)
            case "drips":
                with_head = b"HTTP/1.1 200 OK\r\nX-Slow: "
                handler.wfile.write(with_head)
                while not self.released.wait(0.1):
                    handler.wfile.write(b"x")
            case "moved":
                handler.send_response(302)
                handler.send_header("Location", "/elsewhere" if handler.path != "/elsewhere" else "/again")
                handler.end_headers()
            case _:
                body = b'{"north": 12, "south": 0}'
                handler.send_response(200 if self.mood == "up" else 503)
                handler.send_header("Content-Length", str(len(body)))
                handler.end_headers()
                handler.wfile.write(body)


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    thread = threading.Thread(target=service.server.serve_forever, args=(0.05,))
    thread.start()
    yield service
    service.released.set()
    service.server.shutdown()
    service.server.server_close()
    thread.join()


@contextmanager
def exporting(folder: Path, settings: str) -> Iterator[Exporter]:
    (folder / "facemon.yaml").write_text(f"version: 1\nexporter: {settings}\n")
    with exporter(folder) as running:
        yield running


def gauge(running: Exporter, name: str) -> dict[str, float]:
    """A gauge's values by its only label."""
    return {
        next(iter(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(running.get("/metrics").text)
        for sample in family.samples
        if sample.name == name
    }


def until(is_so: Callable[[], bool], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_probe_answers_in_the_background(tmp_path: Path, service: Service) -> None:
    probes = f'[{{name: labels, url: "{service.url}/health"}}, {{name: nobody, url: "http://127.0.0.1:9/"}}]'
    with exporting(tmp_path, f"{{probes: {probes}, probe_interval: 300ms, probe_timeout: 200ms}}") as running:
        until(lambda: gauge(running, "external_service_status") == {"labels": 1, "nobody": 0})
        for mood in ("down", "up", "hangs", "up", "drips"):
            service.mood = mood
            until(lambda: gauge(running, "external_service_status")["labels"] == (mood == "up"))  # noqa: B023
            service.released.set()
            service.released.clear()
        began = time.monotonic()
        running.get("/metrics")
        assert time.monotonic() - began < 0.15, "a scrape waits for no probe"
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(5) == 0


def test_what_was_not_asked_yet_is_absent(tmp_path: Path, service: Service) -> None:
    service.mood = "hangs"
    probes = f'[{{name: labels, url: "{service.url}"}}]'
    with exporting(tmp_path, f"{{probes: {probes}, probe_interval: 9s, probe_timeout: 8s}}") as running:
        assert gauge(running, "external_service_status") == {}


@pytest.mark.parametrize(
    ("mood", "path", "expected"), [("up", "/", True), ("down", "/", False), ("moved", "/a", False), ("up", "", True)]
)
def test_what_counts_as_an_answer(service: Service, mood: str, path: str, expected: bool) -> None:
    service.mood = mood
    assert answers(service.url + path, 2) is expected
    assert service.asked == (4 if mood == "moved" else 1)


def test_an_answer_that_never_ends_is_cut(service: Service) -> None:
    service.mood = "drips"
    began = time.monotonic()
    assert not answers(service.url, 0.5)
    assert time.monotonic() - began < 1.5


COLLECTORS = """
import threading, time
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

mood = {"value": "good"}

class Good:
    def collect(self):
        yield GaugeMetricFamily("good_one", "Good.", value=1)

class Moody:
    calls = 0
    def collect(self):
        from pathlib import Path
        Moody.calls += 1
        match Path("mood").read_text():
            case "raises": raise RuntimeError("no queue")
            case "hangs": time.sleep(1000)
            case "slow":
                time.sleep(0.15)
                yield GaugeMetricFamily("moody_one", "Moody.", value=1)
            case "strange": yield "no family"
            case "double": yield GaugeMetricFamily("good_one", "Another.", value=2)
            case "ours": yield CounterMetricFamily("images_processed_total", "Not theirs.", value=2)
            case "unwritable": yield GaugeMetricFamily("moody_one", "Moody.", value="many")
            case _: yield GaugeMetricFamily("moody_one", "Moody.", value=Moody.calls)

def make():
    return Good()

broken = 3
"""
SETTINGS = '{collectors: ["mine:Good", "mine:Moody"], collector_timeout: 300ms}'


def test_a_collector_costs_at_most_its_own_metrics(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(COLLECTORS)
    (mood := tmp_path / "mood").write_text("good")
    good, both = {"store": 0, "mine:Good": 1, "mine:Moody": 0}, {"store": 0, "mine:Good": 1, "mine:Moody": 1}
    with exporting(tmp_path, SETTINGS) as running:
        assert gauge(running, "facemon_source_up") == both
        for trouble in ("raises", "strange", "double", "ours", "unwritable"):
            mood.write_text(trouble)
            for _ in range(2):
                assert gauge(running, "facemon_source_up") == good, trouble
            text = running.get("/metrics").text
            assert "good_one 1.0" in text
            assert "moody_one" not in text
            mood.write_text("good")
            assert gauge(running, "facemon_source_up") == both
        # Each trouble is told once, and once that it has passed.
        until(lambda: len([line for line in running.said if "the collector" in line]) == 10)
        said = [line for line in running.said if "the collector" in line]
        assert said[0] == "warning: the collector mine:Moody is left out: RuntimeError: no queue"
        mood.write_text("slow")
        with ThreadPoolExecutor(6) as scrapes:
            found = list(scrapes.map(lambda _: gauge(running, "facemon_source_up"), range(6)))
        assert found == [both] * 6, "scrapes at the same time wait for each other"
        mood.write_text("hangs")
        began = time.monotonic()
        for _ in range(5):
            assert gauge(running, "facemon_source_up") == good
        assert time.monotonic() - began < 2, "one that hangs is not waited for twice"
        assert "good_one 1.0" in running.get("/metrics").text


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nowhere:Name", "No module named 'nowhere'"),
        ("mine:Absent", "has no attribute 'Absent'"),
        ("mine:broken", "TypeError"),
        ("mine:mood", "TypeError"),
        ("failing:Name", "RuntimeError: at import"),
    ],
)
def test_a_collector_that_cannot_be_made(facemon: RunFacemon, tmp_path: Path, path: str, said: str) -> None:
    (tmp_path / "mine.py").write_text(COLLECTORS)
    (tmp_path / "failing.py").write_text("raise RuntimeError('at import')")
    (tmp_path / "facemon.yaml").write_text(f'version: 1\nexporter: {{collectors: ["{path}"]}}\n')
    outcome = facemon("serve-metrics", "--listen", "127.0.0.1:0", cwd=tmp_path)
    assert (outcome.returncode, said in outcome.stderr) == (2, True), outcome.stderr
    assert f"exporter.collectors: the collector {path}" in outcome.stderr


def test_a_hang_up_reads_the_configuration_again(tmp_path: Path, service: Service) -> None:
    (tmp_path / "mine.py").write_text(COLLECTORS)
    with exporting(tmp_path, "{}") as running:
        assert gauge(running, "facemon_source_up") == {"store": 0}

        def reload(text: str, said: str) -> None:
            (tmp_path / "facemon.yaml").write_text(text)
            count = len([line for line in running.said if said in line])
            running.process.send_signal(signal.SIGHUP)
            until(lambda: len([line for line in running.said if said in line]) > count)

        probes = f'probes: [{{name: labels, url: "{service.url}"}}], probe_interval: 300ms, probe_timeout: 200ms'
        reload(f'version: 1\nexporter: {{collectors: ["mine:make"], {probes}}}\n', "read again")
        assert gauge(running, "facemon_source_up") == {"store": 0, "mine:make": 1}
        until(lambda: gauge(running, "external_service_status") == {"labels": 1})
        reload("version: 1\nexporter: {collectors: 3}\n", "the configuration stays as it was")
        assert gauge(running, "facemon_source_up") == {"store": 0, "mine:make": 1}
        reload("version: 1\nexporter: {listen: 127.0.0.1:1}\n", "the address does so at the next start")
        assert gauge(running, "facemon_source_up") == {"store": 0}
        until(lambda: gauge(running, "external_service_status") == {})
        asked = service.asked
        time.sleep(0.7)
        assert service.asked <= asked + 1, "a probe that is gone asks no more"


def test_the_example(tmp_path: Path, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(EXAMPLE, tmp_path)
    monkeypatch.setenv("LABELLING_SERVICE", service.url)
    with exporting(tmp_path, '{collectors: ["own_metrics:LabellingQueue"]}') as running:
        assert gauge(running, "labelling_queue_images") == {"north": 12, "south": 0}
        service.mood = "down"
        assert gauge(running, "labelling_queue_images") == {}
        assert gauge(running, "facemon_source_up")["own_metrics:LabellingQueue"] == 0
