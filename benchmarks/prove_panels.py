"""Looks at all three dashboards of many configurations, each on a Prometheus that holds a simulated week."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.machine import Line
from facemon.config.prometheus import TRANSPORT_JOBS
from tests.render.configurations import DEFAULTS, config_of
from tests.render.random_configurations import sampled
from tests.render.real_expositions import expositions
from tests.render.seen_dashboards import look
from tests.render.simulated_week import grafana_on_the_week

CONFIGURATIONS, SEED = 20, 20
_SERVERS = Path(__file__).parent.parent / ".tools" / "servers"

ABOUT = """\
Each of so many random valid configurations gets a Prometheus of Debian 12 with a week of samples: facemon's metrics as
the catalogue has them, those of node-exporter, Prometheus, Alertmanager and Pushgateway by the names that the real ones
give, cAdvisor's by its documentation. Every query of every panel, variable and annotation of the three dashboards is
run as Grafana would send it, with all chosen, and panels once more with each value of every variable. A fault is an
empty answer, a legend's label that no series has, a choice of everything that differs from All, or an alert that fires
and is not annotated on its dashboard, or is on another. Grafana itself was not run.
"""


def measure(folder: Path) -> Iterator[Line]:
    """The number of queries, and of those that a person would see nothing of."""
    said_folder = folder / "said"
    said_folder.mkdir()
    said = expositions(_SERVERS, said_folder, config_of(DEFAULTS))
    asked, faults, transports = 0, list[str](), set[str]()
    for number, text in enumerate(sampled(CONFIGURATIONS, SEED)):
        config = config_of(text)
        week = folder / str(number)
        week.mkdir()
        with grafana_on_the_week(config, said, _SERVERS, week) as grafana:
            seen = look(grafana, config)
        asked += seen.asked
        faults += (f"configuration {number}: {fault}" for fault in seen.faults)
        transports.add(config.prometheus.store_metrics_from)
    yield Line("configurations", str(CONFIGURATIONS), "20", CONFIGURATIONS >= 20, f"seed {SEED}")
    yield Line(
        "transports of the store's metrics among them", str(len(transports)), "all 4", transports == set(TRANSPORT_JOBS)
    )
    yield Line("queries of panels, variables and annotations", f"{asked:,}", "over 1,000", asked > 1000)
    yield Line("faults", str(len(faults)), "0", not faults, "; ".join(faults[:3]).replace("|", "\\|"))
