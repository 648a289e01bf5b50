"""Faults between parts that are each well: the doctor's first finding is the cause, and its command mends it.

One running stack is broken and mended for all of them.
"""

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import RunFacemon, folder_open_to_all
from tests.doctor.changed_stack import (
    another_store,
    by_pushgateway,
    by_textfile,
    inhibited_by_the_watchdog,
    older_rules,
    route_in_front,
    samples_dropped,
    scraped_twice,
    silenced,
)
from tests.doctor.healthy import make_healthy
from tests.doctor.running import CONFIGURATION, Running, running, settled
from tests.patience import wait_until
from tests.servers import amtool, free_port, query, run_node_exporter, run_pushgateway

pytestmark = [pytest.mark.slow, pytest.mark.servers]


@pytest.fixture(scope="module")
def stack(facemon: RunFacemon, servers: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A running stack with a node-exporter, which reads textfiles in the folder `read` below `textfiles`."""
    folder = make_healthy(facemon, tmp_path_factory.mktemp("stack"))
    port = free_port()
    text = CONFIGURATION.replace("jobs: [exporter]", "jobs: [exporter, node]")
    text = text.replace("targets: {{", f'targets: {{{{node: ["127.0.0.1:{port}"], ')
    with folder_open_to_all() as textfiles:
        (textfiles / "read").mkdir()
        (folder / "textfiles").symlink_to(textfiles)
        with (
            run_node_exporter(servers, textfiles / "read", folder / "node", port=port),
            running(facemon, servers, folder, configuration=text) as found,
        ):
            wait_until(lambda: query(found.prometheus.url, 'up{job="node"} == 1'), "node-exporter")
            yield found


@dataclass(frozen=True, slots=True)
class Fault:
    """How the stack is broken, and what the doctor's first finding must be."""

    breaks: Callable[[Running], AbstractContextManager[object]]
    area: str
    what: str
    evidence: str
    command: str
    is_run: bool = True
    """Whether the command is run, after which nothing is wrong; the others are for a server that a test cannot be."""


AGAIN = "facemon render-config --only {} --force --reload"
FAULTS = {
    "rendered and never reloaded": Fault(
        older_rules, "rules", "not as the configuration", r"DriftDetected \(expr\)", "facemon render-config --reload"
    ),
    "a silence on everything": Fault(
        lambda stack: silenced(stack, ".+"), "Alertmanager", "keeps every alert from being told", "by ops", "amtool"
    ),
    "a silence on drift, while none fires": Fault(
        lambda stack: silenced(stack, "Drift.*"), "Alertmanager", "keeps 4 alerts from being told: Drift", "", "amtool"
    ),
    "a route in front of all": Fault(
        route_in_front, "Alertmanager", "not the rendered one", "route.routes", AGAIN.format("alertmanager")
    ),
    "an inhibition by what always fires": Fault(
        inhibited_by_the_watchdog, "Alertmanager", "not the rendered one", "inhibit_rules", AGAIN.format("alertmanager")
    ),
    "an exporter of another store": Fault(
        another_store, "exporter", "serves another store", "12,010 images", "facemon serve-metrics", is_run=False
    ),
    "samples are dropped": Fault(
        samples_dropped,
        "metrics in Prometheus",
        "8 metrics of the store not in Prometheus",
        "metric_relabel_configs drop",
        AGAIN.format("prometheus"),
    ),
    "one store by two exporters": Fault(
        scraped_twice, "metrics in Prometheus", "arrive twice", "from exporter .* and", AGAIN.format("prometheus")
    ),
    "node-exporter reads another folder": Fault(
        lambda stack: by_textfile(stack, "written"),
        "metrics in Prometheus",
        "node-exporter does not read the textfile",
        "it reads no textfile",
        "start node-exporter with --collector.textfile.directory=",
        is_run=False,
    ),
}


def found_again(stack: Running) -> None:
    """Wait until Prometheus has its Alertmanager: for some seconds after a reload it sends to none."""
    wait_until(lambda: settled(stack.prometheus), "Alertmanager")


def test_nothing_is_wrong(stack: Running) -> None:
    assert stack.diagnosis()["findings"] == []


@pytest.mark.parametrize("name", FAULTS)
def test_the_first_finding_is_the_cause(stack: Running, servers: Path, name: str) -> None:
    fault = FAULTS[name]
    with fault.breaks(stack):
        found_again(stack)
        first = stack.diagnosis()["findings"][0]
        assert first["area"] == fault.area, first
        assert re.search(fault.what, first["what"]), first
        assert re.search(fault.evidence, first["evidence"]), first
        assert first["command"].startswith(fault.command), first
        if fault.is_run:
            program, *words = shlex.split(first["command"])
            ran = amtool(servers, *words) if program == "amtool" else stack.facemon(*words, cwd=stack.folder)
            assert ran.returncode == 0, ran.stderr
            wait_until(lambda: stack.diagnosis()["findings"] == [], "the remedy")


@pytest.mark.parametrize("transport", ["textfile", "pushgateway"])
def test_nothing_is_wrong_by_other_transports(stack: Running, servers: Path, tmp_path: Path, transport: str) -> None:
    """What is pushed keeps the job that it was pushed with."""
    gateway = run_pushgateway(servers, tmp_path) if transport == "pushgateway" else nullcontext()
    with gateway as server, by_textfile(stack, "read") if server is None else by_pushgateway(stack, server.url):
        found_again(stack)
        assert stack.diagnosis()["findings"] == []
