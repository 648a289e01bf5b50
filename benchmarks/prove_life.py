"""Lives of random set-ups: everything ordinary happens to each, and every message is held against what must be told."""

import multiprocessing
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks.machine import CORES, Line
from benchmarks.results_table import Table
from tests import started
from tests.life.play import Life, live
from tests.life.script import LIFE
from tests.life.setting import Setting, settings

CONFIGURATIONS = int(os.environ.get("LIFE_CONFIGURATIONS", "20"))
SEED = 20
_TOOLS = Path(__file__).parents[1] / ".tools"
_GENERATIONS = {"servers": "Prometheus 2.42, Alertmanager 0.25", "newer_servers": "Prometheus 3.5, Alertmanager 0.33"}
_AT_ONCE = 4 * CORES
"""Lives wait most of the time; what more of them compute at once would make scrapes late."""
_PATIENCE_S = 10.0
"""How much later than stated a message may come before it counts as missing."""
_SLOWER_S = 3.0
"""What scheduling on a busy machine may add to a message's way."""

ABOUT = """\
Random configurations, each on both generations of servers: a real store and exporter, its metrics by scrape, textfile
or Pushgateway, an instrumented API with clients and probes, a webhook for the team, one for operations and one for the
Watchdog, and in the same Prometheus a job of other people, with all of facemon's metric names and alarming values, and
one that is down. Every time is a thirtieth or a twenty-fifth of the usual: scrapes each 500 or 600 ms instead of 15 s,
and with them every `for`, the window of rates, the waits of Alertmanager, and two options of Prometheus, of which the
delay before an alert is sent again is twice the usual one. Prometheus restarts between two scrapes.
Ages in days are as usual, from stamps that are set back. Prometheus keeps resolved alerts for 15 minutes whatever is
set: here that is longer than in life.

An event without an alert must pass without a message, also beside alerts that fire. Any other gives one message when it
begins and one when it ends for each expected alert. Any other message is a fault. A message is late when it comes more
than its condition, `for`, two scrapes, an export and the group's wait after the trouble, and 3 s for a busy machine.
"""


def measure(folder: Path) -> Iterator[Line | Table]:
    """Faults, messages and ways of all lives, and each event with how often it happened and its faults."""
    lives = _lived(settings(CONFIGURATIONS, SEED, tuple(_GENERATIONS)), folder)
    yield Line("configurations", f"{CONFIGURATIONS}", "20", CONFIGURATIONS >= 20, f"seed {SEED}")
    for generation, name in _GENERATIONS.items():
        yield _faults(name, [life for life in lives if life.setting.generation == generation])
    ways = [way for life in lives for way in life.ways]
    late = [way for way in ways if way.took_s > way.stated_s + _SLOWER_S]
    note = "; ".join(f"{way.event}: {way.alert} after {way.took_s:.1f} s, {way.stated_s:.1f} s" for way in late[:3])
    yield Line("messages later than stated", f"{len(late)} of {len(ways)}", "0", bool(ways) and not late, note)
    early = sum(life.early for life in lives)
    yield Line("told as resolved by a restart of Prometheus while scrapes are missed", f"{early}", "said", True,
               "keep_firing_for does not outlive a restart")  # fmt: skip
    yield _events(lives)


def _lived(chosen: Sequence[Setting], folder: Path) -> list[Life]:
    """Play the lives, several at once, each in a process of its own."""
    # Started anew: a fork would share the sockets and threads of this process.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(_AT_ONCE, mp_context=context, max_tasks_per_child=1) as pool:
        lives = []
        for life in pool.map(partial(_live, folder), chosen):
            print(
                f"{life.setting}: {life.messages} messages, {len(life.faults)} faults, {life.seconds:.0f} s", flush=True
            )
            for fault in life.faults:
                print(f"  {fault}", flush=True)
            lives.append(life)
    return lives


def _live(folder: Path, setting: Setting) -> Life:
    place = folder / f"{setting.number}-{setting.generation}"
    place.mkdir()
    os.environ["no_proxy"] = "127.0.0.1"
    # Exporters and exports are forks of one interpreter, as in the tests.
    started.KNOWN = started.neutral_environment()
    return live(setting, LIFE, _TOOLS / setting.generation, place, patience_s=_PATIENCE_S)


def _faults(name: str, lives: Sequence[Life]) -> Line:
    faults = [f"configuration {life.setting.number}: {fault}" for life in lives for fault in life.faults]
    events = sum(life.events.total() for life in lives)
    messages = sum(life.messages for life in lives)
    what = f"{name}: messages too many, too few or not of the event"
    note = f"{events} events, {messages} messages; {'; '.join(faults[:3])}".replace("|", "\\|").rstrip("; ")
    return Line(what, f"{len(faults)}", "0", bool(events) and not faults, note)


def _events(lives: Sequence[Life]) -> Table:
    happened, faulty = Counter[str](), Counter[str]()
    for life in lives:
        happened += life.events
        faulty.update(event for event in life.events if any(event in fault for fault in life.faults))
    rows = tuple((event, f"{often}", f"{faulty[event]}") for event, often in happened.items())
    return Table(("event", "times", "lives in which it had a fault"), rows)
