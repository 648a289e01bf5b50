"""`facemon serve`, killed under load and started again: nothing older than a second is lost, and no counter falls."""

import hashlib
import os
import random
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facemon.config.quantities import Listen
from facemon.domain.metric_catalogue import CATALOGUE, MetricSource, MetricType
from facemon.store.api_identity import default_instance
from facemon.store.ledger.opening import open_ledger
from facemon.store.segment_files import read_segment
from tests.acceptance.series import Series, samples_of, series_of
from tests.acceptance.served import Served, served
from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.patience import HANG_S
from tests.servers import Server, query, run_prometheus, wait_for_query

KILLS_IN_SHORT, KILLS, CLIENTS = 4, 20, 6
LOSS_SECONDS = 1.0
SCRAPES = """\
global: {{scrape_interval: 200ms}}
scrape_configs:
  - job_name: api
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
PARTS = {MetricType.COUNTER: ("",), MetricType.HISTOGRAM: ("_bucket", "_count", "_sum"), MetricType.GAUGE: ()}
COUNTERS = {metric.name + part: metric.source for metric in CATALOGUE.values() for part in PARTS[metric.type]}
"""All that must never fall, and where it comes from."""
PREDICTED = 'api_requests_total{endpoint="/predict", code="200"}'


@dataclass(frozen=True, slots=True)
class Life:
    """When a server was ready, and when it was killed."""

    began: float
    ended: float


class Clients:
    """Threads that send images, each of them once, over connections of their own; whoever is cut off goes on."""

    def __init__(self, port: int) -> None:
        self.answered: dict[str, float] = {}
        """When an image, by its hash, was answered with 200."""
        self.refused: list[tuple[int, str]] = []
        self.slowest_s = 0.0
        self._port = port
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(seed,)) for seed in range(CLIENTS)]

    @contextmanager
    def running(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            for thread in self._threads:
                thread.join()

    def _send(self, seed: int) -> None:
        pixels = np.random.default_rng(seed)
        connection = HTTPConnection("127.0.0.1", self._port, timeout=HANG_S)
        while not self._stopping.is_set():
            file = BytesIO()
            Image.fromarray(pixels.integers(0, 256, (8, 8, 3), np.uint8)).save(file, "PNG")
            image = file.getvalue()
            began = time.monotonic()
            try:
                connection.request("POST", f"/predict?source=client-{seed}", image)
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, HTTPException):
                connection.close()
                time.sleep(0.05)
                continue
            if answer.status == 200:
                self.answered[hashlib.sha256(image).hexdigest()] = time.monotonic()
                self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            else:
                self.refused.append((answer.status, text.decode()))
        connection.close()


@pytest.mark.servers
@pytest.mark.slow
@pytest.mark.long_proof
def test_kill_9_under_load_loses_at_most_a_second_and_resets_no_counter(
    facemon: RunFacemon, servers: Path, tmp_path: Path, at_length: bool
) -> None:
    kills = KILLS if at_length else KILLS_IN_SHORT
    write_small_model(tmp_path, "api: {access_log: false}\n")
    port = lasting_port()
    (tmp_path / "prometheus.yml").write_text(SCRAPES.format(port=port))
    arguments = ("--listen", f"127.0.0.1:{port}", "--workers", "2")
    seed = time.time_ns()
    moments, clients, lives = random.Random(seed), Clients(port), list[Life]()
    print(f"seed {seed}")
    with run_prometheus(servers, tmp_path / "prometheus.yml", tmp_path) as prometheus:
        with clients.running():
            for _ in range(kills):
                with served(tmp_path, *arguments) as api:
                    began = time.monotonic()
                    wait_until_counts_were_scraped(prometheus)
                    time.sleep(moments.uniform(0.5, 2.5))
                    lives.append(Life(began, kill(api)))
        with served(tmp_path, *arguments) as api:
            api.wait_for_images(1)
            wait_for_query(prometheus.url, f"timestamp(up == 1) > {time.time()}")
            expect_no_loss_and_no_double(clients, lives, images_in_the_log(tmp_path))
            expect_no_resets(prometheus, kills)
            expect_what_the_ledger_says(facemon, prometheus, api, tmp_path)
            assert api.stop() == 0
    assert clients.refused == []
    verified = facemon("store", "verify", cwd=tmp_path)
    assert (verified.returncode, verified.stdout[:3]) == (0, "ok:"), verified.stdout


def lasting_port() -> int:
    """A port that stays free between two servers: none that the system gives to a client that connects."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port


def wait_until_counts_were_scraped(prometheus: Server) -> None:
    """Until this server's own counts were seen, so that a fall at the next one's start would be seen too."""
    before = sum(value for _, value in query(prometheus.url, f"sum({PREDICTED})"))
    wait_for_query(prometheus.url, f"sum({PREDICTED}) > {before}")


def kill(api: Served) -> float:
    """Kill the main process alone; the moment before. Its workers and its log must end by themselves."""
    pid = api.process.pid
    workers = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    assert len(workers) == 5
    moment = time.monotonic()
    api.process.kill()
    api.process.wait()
    deadline = time.monotonic() + HANG_S
    while (alive := [worker for worker in workers if is_running(worker)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    for worker in alive:
        os.kill(worker, signal.SIGKILL)  # so that this ends as a failure, and leaves nothing behind
    assert alive == [], f"workers of {pid} live on"
    return moment


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # ended, and nobody has asked how


def images_in_the_log(folder: Path) -> Counter[str]:
    images: Counter[str] = Counter()
    with open_ledger(folder / ".facemon") as ledger, ledger.reading():
        for segment in ledger.segments.within():
            images.update(read_segment(ledger, segment)["image_sha256"].to_pylist())
    return images


def expect_no_loss_and_no_double(clients: Clients, lives: Sequence[Life], logged: Counter[str]) -> None:
    missing = [at for image, at in clients.answered.items() if image not in logged]
    ages = [next((life.ended for life in reversed(lives) if life.began <= at), at) - at for at in missing]
    oldest = max(ages, default=0)
    print(f"{len(clients.answered)} answered, {logged.total()} logged, {len(missing)} lost, at most {oldest:.2f} s old")
    assert len(clients.answered) > len(lives) * CLIENTS
    # A second, and what this machine adds to it: it made an answer wait as long, and may do so with the log's steps.
    assert oldest <= LOSS_SECONDS + 5 * clients.slowest_s
    assert [image for image, times in logged.items() if times > 1] == []


def expect_no_resets(prometheus: Server, kills: int) -> None:
    scrapes = query(prometheus.url, "count_over_time(up[10m]) - sum_over_time(up[10m])")
    assert scrapes[0][1] > kills / 4, "no scrape met a server that was down"
    for name in COUNTERS:
        resets = query(prometheus.url, f"resets({name}[10m])")
        assert resets, name
        assert [sample for sample in resets if sample[1]] == []


def expect_what_the_ledger_says(facemon: RunFacemon, prometheus: Server, api: Served, folder: Path) -> None:
    stored = samples_of(facemon("export-metrics", "-o", "-", cwd=folder).stdout)
    with open_ledger(folder / ".facemon") as ledger, ledger.reading():
        requests = ledger.requests.read(default_instance(Listen("127.0.0.1", api.port)))
    labels = ("/predict", "POST", "success", "200")
    (predicted,) = [total for key, total in requests.items() if key.labels == labels]
    shown = samples_of(api.ask("GET", "/metrics")[1])
    assert (
        shown[series_of("api_requests_total", zip(CATALOGUE["api_requests_total"].labels, labels, strict=True))]
        == predicted
    )
    compared = 0
    for name, source in COUNTERS.items():
        told = stored if source is MetricSource.STORE else shown
        expected = {series: value for series, value in told.items() if series[0] == name and not is_of_scrapes(series)}
        samples = [(series_of(name, labels.items()), value) for labels, value in query(prometheus.url, name)]
        assert {series: value for series, value in samples if not is_of_scrapes(series)} == expected, name
        compared += len(expected)
    print(f"{compared} series equal the ledger")


def is_of_scrapes(series: Series) -> bool:
    """Whether it counts what Prometheus itself asks, five times a second."""
    return ("endpoint", "/metrics") in series[1]
