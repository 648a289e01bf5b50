"""Kills at random moments: of every command that writes to a store, over and over on one store."""

import random
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.command import FACEMON
from benchmarks.machine import Line
from facemon.store.ledger.opening import open_ledger
from tests.acceptance.served import served
from tests.acceptance.small_model import write_small_model
from tests.acceptance.test_serve_kill import (
    Clients,
    Life,
    expect_no_loss_and_no_double,
    images_in_the_log,
    kill,
    lasting_port,
)
from tests.model.onnx_files import flat_image
from tests.store.kept_stores import NEWEST, unpack
from tests.store.sql import sql

_ROUNDS = 29
_PICTURES, _DAYS = 60, (1, 40, 95, 96)
ABOUT = f"""\
Kills: {_ROUNDS} rounds on one store of `predict`, `store compact`, `prune`, `repair --drop-damaged` of a segment that
was damaged before, `backup`, of an upgrade of an older store, and two of `serve` under load, each killed (SIGKILL) at
a random moment of the time that it takes. After each, `store verify` finds nothing, the same command ends with 0, and
no total has fallen; what `serve` answered more than a second before its death is in the log.
"""


@dataclass(frozen=True, slots=True)
class _Victim:
    """A command that is killed; `prepare` makes what it needs, `cleaned` removes what it left outside of the store."""

    name: str
    arguments: Sequence[str]
    prepare: Callable[[Path, random.Random], None] = lambda _folder, _rng: None


class _Broken(Exception):
    """What did not hold after a kill."""


def measure(folder: Path) -> Iterator[Line]:
    """How many kills left everything whole."""
    seed = time.time_ns()
    rng, counts = random.Random(seed), Counter[str]()  # noqa: S311 - no secret
    site = folder / "killed"
    site.mkdir()
    _prepare(site)
    for _ in range(_ROUNDS):
        for victim in _VICTIMS:
            counts[victim.name] += _kill_once(site, victim, rng)
        counts["upgrade"] += _kill_an_upgrade(folder / "upgraded", rng)
    counts["serve"] += _kill_serve(folder / "served", 2 * _ROUNDS, rng)
    told = ", ".join(f"{count} of {name}" for name, count in counts.items())
    total = sum(counts.values())
    yield Line("kills after which nothing was lost, doubled or blocked", f"{total}", "≥ 200", total >= 200, told)


def _prepare(site: Path) -> None:
    """Some days of a log, of which the oldest are due to be pruned."""
    write_small_model(site)
    (site / "pictures").mkdir()
    names = [f"{number:03}.png" for number in range(_PICTURES)]
    for number, name in enumerate(names):
        flat_image(site / "pictures" / name, (number, 255 - number, 0))
    lines = ["image,source,observed_at"]
    for days in _DAYS:
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 86_400 * days))
        lines += [f"pictures/{name},cam{at % 5},{moment}" for at, name in enumerate(names)]
    (site / "days.csv").write_text("\n".join(lines) + "\n")


def _damage(site: Path, rng: random.Random) -> None:
    """Log some images in a file of their own and overwrite a few bytes of it."""
    _run(site, "predict", "days.csv", "-q")
    _run(site, "store", "compact")
    files = sorted((site / ".facemon" / "segments").rglob("*.parquet"))
    if files:
        with rng.choice(files).open("r+b") as file:
            file.seek(300)
            file.write(b"damaged!")


def _age(site: Path, _: random.Random) -> None:
    """Log images of long ago, as if they had been predicted then: retention counts from the later of both times."""
    _run(site, "predict", "days.csv", "-q")
    _run(site, "store", "compact")
    with open_ledger(site / ".facemon") as ledger, ledger.writing():
        sql(ledger).execute("UPDATE segments SET last_predicted = last_observed")


_VICTIMS = (
    _Victim("predict", ("predict", "days.csv", "-q")),
    _Victim("compact", ("store", "compact"), lambda site, _: _run(site, "predict", "days.csv", "-q")),
    _Victim("prune", ("store", "prune", "--days", "60"), _age),
    _Victim("repair", ("store", "repair", "--drop-damaged"), _damage),
    _Victim("backup", ("store", "backup", "backup.tar")),
)


def _kill_once(site: Path, victim: _Victim, rng: random.Random) -> bool:
    """Kill a command, and look; whether it was killed before it ended."""
    victim.prepare(site, rng)
    before = _totals(site)
    (site / "backup.tar").unlink(missing_ok=True)
    seconds = _seconds_of(site, victim)
    victim.prepare(site, rng)
    (site / "backup.tar").unlink(missing_ok=True)
    killed = _killed(site, victim.arguments, rng.uniform(0.2, 1.0) * seconds)
    if victim.name == "repair":
        _run(site, *victim.arguments)  # what was damaged before is still so
    _expect_whole(site, before, victim.name)
    (site / "backup.tar").unlink(missing_ok=True)
    _run(site, *victim.arguments)
    return killed


def _seconds_of(site: Path, victim: _Victim) -> float:
    begin = time.monotonic()
    _run(site, *victim.arguments)
    return time.monotonic() - begin


def _killed(site: Path, arguments: Sequence[str], after: float) -> bool:
    process = subprocess.Popen([FACEMON, *arguments], cwd=site, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(after)
    was_running = process.poll() is None
    process.kill()
    process.wait()
    return was_running


def _run(site: Path, *arguments: str) -> None:
    outcome = subprocess.run([FACEMON, *arguments], cwd=site, capture_output=True, text=True, check=False)
    if outcome.returncode != 0:
        raise _Broken(f"{' '.join(arguments)}: {outcome.returncode}: {outcome.stdout[-500:]}{outcome.stderr[-500:]}")


def _totals(site: Path) -> dict[str, float]:
    if not (site / ".facemon").exists():
        return {}
    with open_ledger(site / ".facemon") as ledger:
        return {str(key): value for key, value in ledger.totals.read().items()}


def _expect_whole(site: Path, before: dict[str, float], name: str) -> None:
    if (site / ".facemon" / "ledger.sqlite").exists():
        _run(site, "store", "verify")
    now = _totals(site)
    if fallen := {key for key, value in before.items() if now.get(key, 0) < value - 1e-6 * abs(value)}:
        raise _Broken(f"after a kill of {name} these fell: {sorted(fallen)}")


def _kill_an_upgrade(folder: Path, rng: random.Random) -> bool:
    shutil.rmtree(folder, ignore_errors=True)
    kept = unpack(rng.choice(NEWEST), folder)
    killed = _killed(kept.folder, ("store", "compact"), rng.uniform(0.1, 0.6))
    _run(kept.folder, "store", "compact")
    _run(kept.folder, "store", "verify")
    return killed


def _kill_serve(folder: Path, kills: int, rng: random.Random) -> int:
    folder.mkdir()
    write_small_model(folder, "api: {access_log: false}\n")
    lives: list[Life] = []
    port = lasting_port()
    clients = Clients(port)
    arguments = ("--listen", f"127.0.0.1:{port}", "--workers", "2")
    with clients.running():
        for _ in range(kills):
            with served(folder, *arguments) as api:
                began = time.monotonic()
                time.sleep(rng.uniform(0.5, 2.5))
                lives.append(Life(began, kill(api)))
    with served(folder, *arguments) as api:
        api.wait_for_images(1)
        expect_no_loss_and_no_double(clients, lives, images_in_the_log(folder))
        api.stop()
    _run(folder, "store", "verify")
    return len(lives)
