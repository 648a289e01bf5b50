"""Kills one of two nodes in the middle of a job on real Ray, over and over."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.machine import Line
from facemon.domain.shard_queue import NO_WORKER_S
from tests.schedulers.killed_nodes import IMAGES, SHARDS, KilledNode, kill_a_node
from tests.schedulers.ray_nodes import PYTHON

_KILLS = 10
ABOUT = f"""\
`predict --engine ray`, {SHARDS} shards of {IMAGES} images, on two nodes of one core on this machine, with one token.
All processes of one node are killed (SIGKILL) at a random moment; twice of {_KILLS} it is the head's, without which a
cluster ends. Then the command is run again, the log is collected, and `store verify` finds each image once. Shards that
were missing after the kill must have been named, with exit 1. The time is the longest without a delivery after a kill,
up to the end of the command.
"""


def measure(folder: Path) -> Iterator[Line]:
    """How many kills lost and doubled nothing, and how long the command was silent after them."""
    if not PYTHON.exists():
        yield Line("kills of a node", "Ray is not installed", f"{_KILLS} of {_KILLS}", False, "make peers")
        return
    killed, broken = list[KilledNode](), list[str]()
    for seed in range(1, _KILLS + 1):
        site = folder / f"kill-{seed}"
        site.mkdir()
        try:
            killed.append(kill_a_node(site, seed))
        except AssertionError as error:
            broken.append(f"seed {seed}: {error}")
            print(broken[-1])
    codes = ", ".join(f"{sum(each.code == code for each in killed)} ended with {code}" for code in (0, 1))
    codes += f"; {sum(' was lost: ' in each.said for each in killed)} lost a worker"
    whole = len(killed) == _KILLS
    yield Line("kills of a node: each image once", f"{len(killed)} of {_KILLS}", f"{_KILLS} of {_KILLS}", whole, codes)
    if killed:
        slowest = max(killed, key=lambda each: each.silence_s - each.shard_s)
        most = NO_WORKER_S + slowest.shard_s
        note = f"a shard took {slowest.shard_s:.1f} s"
        reached = slowest.silence_s <= most
        yield Line("longest silence after a kill", f"{slowest.silence_s:.0f} s", f"≤ {most:.0f} s", reached, note)
