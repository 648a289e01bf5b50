"""Proves that alerts arrive: how long each one's way is, from the trouble to its receiver, with both generations."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.machine import Line
from benchmarks.results_table import Table
from tests.incidents import RECEIVERS, Run, run_incidents

_TOOLS = Path(__file__).parent.parent / ".tools"
_GENERATIONS = {
    "Prometheus 2.42, Alertmanager 0.25": "servers",
    "Prometheus 3, Alertmanager 0.33": "newer_servers",
}
ABOUT = """\
The rendered configuration with intervals of half a second, `for` of one second and rates over two; three phases, as
some alerts keep others silent. Seconds from the trouble to its receiver, and in brackets from its end.
"""
_WITHIN_S = 90.0
_BEATS = 4


def measure(folder: Path) -> Iterator[Line | Table]:
    """One run for each generation of servers, then the way of each alert in seconds."""
    runs = {}
    for name, tools in _GENERATIONS.items():
        place = folder / tools
        place.mkdir()
        run = run_incidents(_TOOLS / tools, place, newer=tools == "newer_servers")
        runs[name] = run
        arrived = {journey.alert for journey in run.journeys}
        beats = sum(notice.receiver == "dead man" for notice in run.notices)
        # The Watchdog fires for ever: it is to arrive again and again instead.
        everything = run.rendered - arrived == RECEIVERS["dead man"] and beats >= _BEATS and _as_intended(run)
        told = f"{len(arrived)} of {len(run.rendered)} alerts in {run.seconds:.0f} s, and {beats} times the Watchdog"
        wanted = f"all but the Watchdog, under {_WITHIN_S:.0f} s"
        what = f"{name}: fired, reached their receivers only, and resolved"
        yield Line(what, told, wanted, everything and run.seconds < _WITHIN_S)
    yield _ways(runs)


def _as_intended(run: Run) -> bool:
    return all(notice.alert in RECEIVERS[notice.receiver] for notice in run.notices)


def _ways(runs: dict[str, Run]) -> Table:
    ways = {
        name: {each.alert: f"{each.to_firing:.1f} ({each.to_resolved:.1f})" for each in run.journeys}
        for name, run in runs.items()
    }
    first, *_ = runs.values()
    rows = [(each.alert, each.receiver, *(ways[name].get(each.alert, "") for name in runs)) for each in first.journeys]
    return Table(("alert", "receiver", *runs), tuple(rows))
