"""A running `facemon serve`, asked over real sockets."""

import json
import signal
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.patience import HANG_S, wait_until
from tests.started import COMMAND, Process, start_facemon

__all__ = ["COMMAND", "Served", "served"]


@dataclass(frozen=True, slots=True)
class Served:
    """A running API; `said` grows by what it writes on stderr."""

    process: Process
    port: int
    said: list[str]
    access: list[dict[str, Any]]
    """The access log."""

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, str]:
        """Status and text of an answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=HANG_S)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def sums(self, metric: str, *by: str) -> dict[tuple[str, ...], float]:
        """A metric's samples, added up by labels."""
        sums: dict[tuple[str, ...], float] = defaultdict(float)
        for family in text_string_to_metric_families(self.ask("GET", "/metrics")[1]):
            for sample in family.samples:
                if sample.name == metric and sample.value:
                    sums[tuple(sample.labels[label] for label in by)] += sample.value
        return sums

    def codes_of(self, endpoint: str) -> list[int]:
        """The status codes that the access log has for an endpoint so far."""
        return [entry["code"] for entry in self.access if entry["endpoint"] == endpoint]

    def wait_for_images(self, count: int) -> None:
        """Wait until so many are in the log."""

        def logged() -> float:
            return sum(self.sums("images_processed_total", "status").values())

        wait_until(lambda: logged() >= count, lambda: f"{logged():g} of {count} are logged; all of them", every_s=0.1)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; answer its exit code."""
        self.process.send_signal(number)
        return self.process.wait(HANG_S)


@contextmanager
def served(folder: Path, *arguments: str, start: Callable[..., Process] = start_facemon) -> Iterator[Served]:
    """Run `facemon serve` in a folder, on a free port, while the block runs; `start` starts the command."""
    process = start("serve", "--listen", "127.0.0.1:0", *arguments, cwd=folder)
    assert process.stderr is not None
    said = [process.stderr.readline().rstrip("\n")]
    while said[-1].startswith("warning: "):
        said.append(process.stderr.readline().rstrip("\n"))
    access: list[dict[str, Any]] = []

    def read() -> None:
        for line in process.stderr or ():
            if line.startswith("{"):
                access.append(json.loads(line))
            else:
                said.append(line.rstrip("\n"))

    reader = threading.Thread(target=read)
    try:
        assert said[-1].startswith("serving predictions on http://127.0.0.1:"), said
        reader.start()
        yield Served(process, int(said[-1].rpartition(":")[2]), said, access)
    finally:
        process.kill()
        process.wait()
        if reader.ident:
            reader.join()
        process.stderr.close()
