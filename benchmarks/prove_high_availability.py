"""Two Prometheus and two clustered Alertmanagers, one of which is killed: how often is each incident told?"""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.machine import Line
from tests.acceptance.cluster import killed_after_notifying, killed_before, running_cluster

_TOOLS = Path(__file__).parents[1] / ".tools"
_GENERATIONS = {"Prometheus 2.42, Alertmanager 0.25": "servers", "Prometheus 3.5, Alertmanager 0.33": "newer_servers"}
_SCENARIOS = {"killed before": killed_before, "killed 5 s after notifying": killed_after_notifying}
_INCIDENTS = tuple(f"incident-{number}" for number in range(1, 11))

ABOUT = """\
Two Prometheus and two clustered Alertmanagers run from the rendered files and with the options of the rendered compose
file. The Alertmanager that notifies first is killed (SIGKILL); a webhook counts what arrives.
"""


def measure(folder: Path) -> Iterator[Line]:
    """How often each incident is told, by when one is killed, for both generations of servers."""
    for generation, tools in _GENERATIONS.items():
        for what, scenario in _SCENARIOS.items():
            place = folder / f"{tools}-{scenario.__name__}"
            place.mkdir()
            with running_cluster(_TOOLS / tools, place) as cluster:
                told = scenario(cluster, _INCIDENTS)
            for status, counts in (("firing", told.firing), ("resolved", told.resolved)):
                often = [counts[name] for name in _INCIDENTS]
                value = f"{min(often)} at least, {max(often)} at most"
                note = f"notifications of {len(_INCIDENTS)} incidents"
                yield Line(f"{generation}, {what}: {status}", value, "1 for each", set(often) == {1}, note)
