"""Decides what an installed facemon must do to count as working: each command once, on a camera's photographs."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

from camera_day import simulate_day

IMAGES_A_DAY = 120
HANG_S = 1800
"""A guard against waiting forever."""


class SmokeError(Exception):
    """What an installed facemon did otherwise than it should."""


@dataclass(frozen=True, slots=True)
class Installation:
    """An installed facemon: its folder of programs, and how its commands are run."""

    programs: Path
    folder: Path
    """Where its commands run."""
    environment: Mapping[str, str]
    prefix: Sequence[str] = ()
    """What each of its commands begins with."""

    def start(
        self, *arguments: str, program: str = "facemon", stdout: int = subprocess.DEVNULL, stderr: int
    ) -> "subprocess.Popen[str]":
        """Start a program of the installation, whose streams are file descriptors."""
        return subprocess.Popen(
            [*self.prefix, str(self.programs / program), *arguments],
            cwd=self.folder,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            text=True,
        )

    def run(self, *arguments: str, expect: int = 0, program: str = "facemon") -> str:
        """Run a program to its end and return its stdout; SmokeError where it ends otherwise than expected."""
        process = self.start(*arguments, program=program, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            out, err = process.communicate(timeout=HANG_S)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise SmokeError(f"{program} {' '.join(arguments)} does not end") from error
        if process.returncode != expect:
            tail = "\n".join(line[:300] for line in (out + err).splitlines()[-15:])
            raise SmokeError(f"{program} {' '.join(arguments)} ended in {process.returncode}, not {expect}:\n{tail}")
        return out


def check(holds: object, what: str) -> None:
    """Raise SmokeError with the words, unless it holds."""
    if not holds:
        raise SmokeError(what)


def run_steps(installed: Installation, version: str) -> Iterator[str]:
    """Use an installed facemon: yield the name of each step that has passed, raise SmokeError at the first fault."""
    said = installed.run("--version")
    check(said.split() == ["facemon", version], f"facemon --version prints {said!r}")
    yield "facemon --version"
    installed.run("init")
    check((installed.folder / "facemon.yaml").is_file(), "facemon init wrote no facemon.yaml")
    yield "init"
    yield from _log_and_compare(installed)
    yield from _write_and_export(installed)
    yield from _serve(installed)
    yield from _serve_metrics(installed)


def take_photographs(folder: Path) -> tuple[datetime, datetime, datetime]:
    """Write two days of photographs, of which the second one is dark; return where each day begins, and its end."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first, second = today - timedelta(days=2), today - timedelta(days=1)
    simulate_day(folder / "bright", first, images=IMAGES_A_DAY, exposure=1.0, seed=1)
    simulate_day(folder / "dark", second, images=IMAGES_A_DAY, exposure=0.35, seed=2)
    return first, second, today


def _log_and_compare(installed: Installation) -> Iterator[str]:
    first, second, today = take_photographs(installed.folder)
    installed.run("predict", "bright", "dark", "--observed-at", "mtime", "-o", "rows.jsonl")
    rows = (installed.folder / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    faces = [row for row in map(json.loads, rows) if row["attributes"].get("gender", {}).get("label")]
    check(len(rows) == 2 * IMAGES_A_DAY, f"predict wrote {len(rows)} rows of {2 * IMAGES_A_DAY} images")
    check(len(faces) > IMAGES_A_DAY, f"predict found a face in {len(faces)} of {2 * IMAGES_A_DAY} photographs of one")
    yield f"predict ({len(faces)} faces in {len(rows)} photographs)"
    logged = installed.run("log", "--format", "jsonl").splitlines()
    check(logged, "facemon log lists no row")
    yield f"log ({len(logged)} rows)"
    installed.run("reference", "set", "--since", first.isoformat(), "--until", second.isoformat(), "--name", "bright")
    yield "reference set"
    # Fewer photographs than the default of --min-rows make the tests short.
    window = ("--since", second.isoformat(), "--until", today.isoformat(), "--min-rows", "100")
    drift = json.loads(installed.run("drift-check", *window, "--record", "--format", "json", expect=3))
    check(drift["verdict"] == "drift", f"drift-check says {drift['verdict']} of a dark day")
    check("evidently" in drift["checks"], f"drift-check ran without Evidently: {drift['notes']}")
    yield "drift-check (the dark day has drifted)"


def _write_and_export(installed: Installation) -> Iterator[str]:
    installed.run("render-config")
    check((installed.folder / "monitoring/prometheus/prometheus.yml").is_file(), "render-config wrote no stack")
    yield "render-config"
    exported = installed.run("export-metrics")
    check("images_processed_total{" in exported, "export-metrics exports no count of images")
    yield "export-metrics"
    installed.run("report", "-o", "report.html")
    check("<svg" in (installed.folder / "report.html").read_text(encoding="utf-8"), "the report has no chart")
    yield "report"


def _serve(installed: Installation) -> Iterator[str]:
    with _server(installed, "serve") as port:
        photograph = (installed.folder / "bright" / "0000.jpg").read_bytes()
        answer = json.loads(_ask(port, "POST", "/predict", photograph))
        check(answer["predictions"][0]["attributes"], f"POST /predict returned {answer}")
        yield "serve: /predict"
        check("predict.js" in _ask(port, "GET", "/", page=True), "the page / lacks its script")
        check('"openapi"' in _ask(port, "GET", "/openapi.json"), "/openapi.json is not a description of the API")
        scripts = [part.split('"')[0] for part in _ask(port, "GET", "/docs", page=True).split('src="')[1:]]
        check(len(scripts) > 1, "the page /docs has no script of Swagger UI")
        for script in scripts:
            check(_ask(port, "GET", f"/{script.lstrip('/')}"), f"the script {script} of /docs is empty")
        yield "serve: /, /docs and its scripts"


def _serve_metrics(installed: Installation) -> Iterator[str]:
    with _server(installed, "serve-metrics") as port:
        check("images_processed_total{" in _ask(port, "GET", "/metrics"), "serve-metrics counts no images")
        check("images" in _ask(port, "GET", "/", page=True), "the page of serve-metrics does not speak of images")
        yield "serve-metrics: /metrics and /"


@contextmanager
def _server(installed: Installation, command: str) -> Iterator[int]:
    """Run a server while the block lasts, and yield its port; SmokeError unless it ends when it is asked to."""
    log = installed.folder / f"{command}.stderr"
    with log.open("w+") as stderr:
        process = installed.start(command, "--listen", "127.0.0.1:0", stderr=stderr.fileno())
        try:
            yield _port(process, log)
            process.send_signal(signal.SIGTERM)
            code = process.wait(HANG_S)
        finally:
            process.kill()
            process.wait()
    check(code == 0, f"facemon {command} ended in {code} when it was asked to: {log.read_text()}")


def _port(process: "subprocess.Popen[str]", log: Path) -> int:
    while process.poll() is None:
        found = [line for line in log.read_text().splitlines(keepends=True) if line.startswith("serving ")]
        if found and found[0].endswith("\n"):
            return int(found[0].split("127.0.0.1:")[1].split("/")[0])
        time.sleep(0.05)
    raise SmokeError(f"the server ended in {process.returncode}: {log.read_text()}")


def _ask(port: int, method: str, path: str, body: bytes | None = None, *, page: bool = False) -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=HANG_S)
    try:
        # Pages are for browsers.
        connection.request(method, path, body, {"Accept": "text/html,*/*;q=0.8"} if page else {})
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    check(answer.status == 200, f"{method} {path} returned {answer.status}: {text[:300]}")
    return text
