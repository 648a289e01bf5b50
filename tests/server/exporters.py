"""`facemon serve-metrics` as a real process on a free port, and a client that goes around no proxy."""

import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from tests.patience import HANG_S
from tests.started import COMMAND, Process, start_facemon

__all__ = ["COMMAND", "Answer", "Exporter", "exporter"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP server answered."""

    status: int
    headers: Mapping[str, str]
    text: str


@dataclass(frozen=True, slots=True)
class Exporter:
    """A running exporter; `said` grows by what it writes on stderr."""

    process: Process
    host: str
    port: int
    said: list[str]

    def get(self, path: str, *, method: str = "GET", timeout_s: float = HANG_S, **headers: str) -> Answer:
        """Ask for a path; header names are written with underscores."""
        connection = HTTPConnection(self.host, self.port, timeout=timeout_s)
        try:
            connection.request(method, path, headers={name.replace("_", "-"): text for name, text in headers.items()})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read().decode())
        finally:
            connection.close()


@contextmanager
def exporter(
    folder: Path, *arguments: str, listen: str | None = "127.0.0.1:0", anew: bool = False
) -> Iterator[Exporter]:
    """Serve the store below a folder until the block ends; the URL is read from what the command says.

    Without `listen`, its configuration names the address.
    """
    listens = ["--listen", listen] if listen else []
    process = start_facemon("serve-metrics", *listens, *arguments, cwd=folder, anew=anew)
    assert process.stderr is not None
    said = list[str]()
    reader = threading.Thread(target=lambda: None)
    try:
        for line in process.stderr:
            said.append(line.rstrip("\n"))
            if "serving metrics on http://" in line:
                break
        else:
            raise AssertionError(f"it ended with {process.wait()} and said {said}")
        host, _, port = said[-1].removesuffix("/metrics").rsplit("/", 1)[-1].rpartition(":")
        reader = threading.Thread(target=lambda: said.extend(line.rstrip("\n") for line in process.stderr or ()))
        reader.start()
        yield Exporter(process, host.strip("[]"), int(port), said)
    finally:
        process.terminate()
        try:
            process.wait(HANG_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if reader.ident:
            reader.join()
        process.stderr.close()
