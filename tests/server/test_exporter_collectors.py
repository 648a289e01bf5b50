"""Other people's collectors in a real `facemon serve-metrics`: what each may do, and what it costs."""

import json
import textwrap
import time
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from tests.conftest import RunFacemon
from tests.patience import HANG_S
from tests.server.exporters import Exporter, exporter

COLLECTORS = """
import sys
import time
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric


class Queue:
    def collect(self):
        yield GaugeMetricFamily("labelling_queue_length", "Images that wait for a label.", value=7)


class Instance:
    def __init__(self, site):
        self.site = site

    def collect(self):
        family = CounterMetricFamily("visits", "Visits by site.", labels=["site"])
        family.add_metric([self.site], 3)
        return [family]


north = Instance("north")


def make_south():
    registry = CollectorRegistry()
    Counter("south_visits", "Visits.", registry=registry).inc(2)
    return registry


plain = Counter("plain_counter", "A counter as the guide makes it.", ["label1"], registry=None)
plain.labels("a").inc(4)


def failing(families):
    class Failing:
        def collect(self):
            yield from families()

    return Failing


def gauge(name, *labelled):
    family = GaugeMetricFamily(name, "Help.", labels=["site"])
    for site in labelled:
        family.add_metric([site], 1)
    return family


def raise_error():
    yield gauge("lost", "a")
    raise RuntimeError("no connection\\nto the queue")


def leave():
    sys.exit(3)
    yield


def hang():
    Path("hung").write_text(Path("hung").read_text() + "x" if Path("hung").exists() else "x")
    time.sleep(3600)
    yield


def endless():
    while True:
        yield gauge(f"endless_{time.monotonic_ns()}", "a")


def foreign_sample():
    family = Metric("mine", "Help.", "gauge")
    family.add_sample("model_accuracy", {}, 1)
    yield family


def no_number():
    family = Metric("words", "Help.", "gauge")
    family.add_sample("words", {}, "many")
    yield family


def many_labels():
    family = GaugeMetricFamily("many", "Help.", labels=[f"label_{number}" for number in range(62)])
    family.add_metric(["x"] * 62, 1)
    yield family


Raises = failing(raise_error)
Leaves = failing(leave)
Hangs = failing(hang)
Endless = failing(endless)
NoFamily = failing(lambda: ["labelling_queue_length 7"])
NotIterable = failing(lambda: 7)
BadName = failing(lambda: [gauge("labelling queue", "a")])
BadLabel = failing(lambda: [Metric("m", "Help.", "gauge"), GaugeMetricFamily("n", "Help.", labels=["a-b"])])
Taken = failing(lambda: [gauge("drift_score", "a")])
TakenPart = failing(lambda: [gauge("model_confidence_score_sum", "a")])
TakenCounter = failing(lambda: [gauge("api_requests_total", "a")])
Copycat = failing(lambda: [gauge("labelling_queue_length", "a")])
Twins = failing(lambda: [gauge("twins", "a", "a")])
Twice = failing(lambda: [gauge("twice", "a"), gauge("twice", "b")])
ForeignSample = failing(foreign_sample)
NoNumber = failing(no_number)
NumberLabel = failing(lambda: [gauge("number_label", 3)])
LongValue = failing(lambda: [gauge("long_value", "a", "x" * 5000)])
LongName = failing(lambda: [gauge("n" * 2001, "a")])
ManyLabels = failing(many_labels)
Crowd = failing(lambda: [gauge("crowd", *map(str, range(990)))])
Status = failing(lambda: [gauge("external_service_status", "a")])


class Switched:
    def collect(self):
        if Path("broken").exists():
            raise RuntimeError(Path("broken").read_text())
        yield gauge("switched", "a")
"""
GOOD = {"Queue", "north", "make_south", "plain"}
BAD = {
    "Raises": "it raised RuntimeError: no connection to the queue",
    "Leaves": "it raised SystemExit: 3",
    "Hangs": "it did not end within 0.5 s",
    "Endless": "it ",
    "NoFamily": "it yields a str, which is not a metric family",
    "NotIterable": "it raised TypeError: 'int' object is not iterable",
    "BadName": "it yields an invalid metric name: 'labelling queue'",
    "Taken": "drift_score is exported by another source already",
    "TakenPart": "model_confidence_score_sum is exported by another source already",
    "TakenCounter": "api_requests_total is exported by another source already",
    "Copycat": "labelling_queue_length is exported by another source already",
    "Twins": "twins has two series with the same labels",
    "Twice": "it yields twice twice",
    "ForeignSample": "mine has a sample that is called 'model_accuracy'",
    "NoNumber": "it raised ValueError: could not convert string to float: 'many'",
    "NumberLabel": "number_label has a label whose value is not text",
    "LongValue": "Prometheus would refuse long_value: a value of the label site has 5,000 bytes",
    "LongName": f"Prometheus would refuse {'n' * 100}: its name has 2,001 bytes",
    "ManyLabels": "Prometheus would refuse many: 65 labels with name, job and instance",
    "Crowd": "it yields 990 samples after ",
    "Status": "external_service_status is not a gauge with the one label service",
}


def configure(folder: Path, *names: str, timeout: str = "500ms") -> None:
    (folder / "own_collectors.py").write_text(COLLECTORS)
    paths = [f"own_collectors:{name}" for name in names]
    (folder / "facemon.yaml").write_text(
        f"exporter: {{collectors: {json.dumps(paths)}, collector_timeout: {timeout}}}\n"
        "prometheus: {limits: {samples: 1000}}\n"
    )


def samples(text: str) -> dict[tuple[str, ...], float]:
    return {(s.name, *s.labels.values()): s.value for family in parse_text(text) for s in family.samples}


def threads_of(running: Exporter) -> int:
    return len(list(Path(f"/proc/{running.process.pid}/task").iterdir()))


def test_each_costs_only_its_own_metrics(tmp_path: Path) -> None:
    configure(tmp_path, *GOOD, *BAD)
    with exporter(tmp_path) as running:
        answers = [running.get("/metrics").text for _ in range(3)]
        openmetrics = running.get("/metrics", Accept="application/openmetrics-text; version=1.0.0").text
    for text in answers:
        found = samples(text)
        assert {name: found["facemon_source_up", f"own_collectors:{name}"] for name in (*GOOD, *BAD)} == {
            **dict.fromkeys(GOOD, 1),
            **dict.fromkeys(BAD, 0),
        }
        assert found["facemon_source_up", "store"] == 0
        assert found["labelling_queue_length",] == 7
        assert found["visits_total", "north"] == 3
        assert found["south_visits_total",] == 2
        assert found["plain_counter_total", "a"] == 4
        assert "lost" not in text
        typed = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
        assert len(set(typed)) == len(typed), "a family is there twice"
    names = {family.name for family in parse_openmetrics(openmetrics)}  # type: ignore[no-untyped-call]
    assert {"labelling_queue_length", "visits", "facemon_source_up"} <= names
    for name, reason in BAD.items():
        told = [line for line in running.said if line.startswith(f"warning: no metrics of own_collectors:{name}: ")]
        assert len(told) == 1, running.said
        assert reason in told[0]


def test_one_that_hangs_is_called_once_and_piles_up_no_threads(tmp_path: Path) -> None:
    timeout_s = 2
    configure(tmp_path, "Hangs", "Queue", timeout=f"{timeout_s}s")
    with exporter(tmp_path) as running:
        began = time.monotonic()
        first = samples(running.get("/metrics").text)
        assert time.monotonic() - began >= 0.9 * timeout_s, "the first scrape waits for it"
        assert first["labelling_queue_length",] == 7
        threads = threads_of(running)
        takes = list[float]()
        for _ in range(20):
            began = time.monotonic()
            found = samples(running.get("/metrics").text)
            takes.append(time.monotonic() - began)
            assert found["facemon_source_up", "own_collectors:Hangs"] == 0
            assert found["labelling_queue_length",] == 7
        # One that waited could not end before exporter.collector_timeout, on a machine of any speed.
        assert min(takes) < timeout_s, "no scrape waits for it again"
        # Those of the last connections may still be ending; of the scrapes, each would have left one.
        assert threads_of(running) < threads + 10
        assert (tmp_path / "hung").read_text() == "x"
        running.process.terminate()
        assert running.process.wait(HANG_S) == 0


def test_what_fails_is_said_once_and_its_return_too(tmp_path: Path) -> None:
    configure(tmp_path, "Switched")
    with exporter(tmp_path) as running:
        for said in ("first", "second", "third"):
            (tmp_path / "broken").write_text(said)
            assert "\nswitched" not in running.get("/metrics").text
        (tmp_path / "broken").unlink()
        for _ in range(3):
            assert '\nswitched{site="a"} 1.0' in running.get("/metrics").text
        (tmp_path / "broken").write_text("fourth")
        running.get("/metrics")
    assert [line for line in running.said if "Switched" in line] == [
        "warning: no metrics of own_collectors:Switched: it raised RuntimeError: first",
        "the metrics of own_collectors:Switched are back",
        "warning: no metrics of own_collectors:Switched: it raised RuntimeError: fourth",
    ]


@pytest.mark.parametrize(
    ("import_path", "fault"),
    [
        ("nowhere.at_all:Queue", "there is no module nowhere, neither installed nor beside the configuration"),
        ("broken:Nothing", "broken.py has no Nothing"),
        ("broken:number", "number has no collect() and makes nothing that has"),
        ("broken:Empty", "Empty makes a Empty, which has no collect()"),
        ("broken:Demanding", "Demanding raises TypeError: "),
        ("raising:Queue", "raising raises RuntimeError: no licence ("),
        ("unreadable:Queue", "unreadable raises SyntaxError: "),
    ],
)
def test_one_that_is_none_is_a_configuration_error(
    facemon: RunFacemon, tmp_path: Path, import_path: str, fault: str
) -> None:
    (tmp_path / "broken.py").write_text(
        textwrap.dedent("""
        number = 5
        class Empty: pass
        class Demanding:
            def __init__(self, site): pass
            def collect(self): return []
        """)
    )
    (tmp_path / "raising.py").write_text("raise RuntimeError('no licence')\n")
    (tmp_path / "unreadable.py").write_text("def (:\n")
    (tmp_path / "facemon.yaml").write_text(f'exporter:\n  collectors:\n    - "{import_path}"\n')
    outcome = facemon("serve-metrics", "--listen", "127.0.0.1:0", cwd=tmp_path)
    assert outcome.returncode == 2
    assert "facemon.yaml:3:7: exporter.collectors[0]: " in outcome.stderr
    assert fault in outcome.stderr
    assert "serving metrics" not in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1
