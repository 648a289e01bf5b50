"""What render-config costs for a stack with everything on: the whole command, from the shell to its end."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from statistics import median

from benchmarks.command import FACEMON
from benchmarks.machine import ROUNDS, Line, rounds
from benchmarks.process_usage import run_measured, with_bytecode
from tests.render.everything import EVERYTHING

ABOUT = """\
Processor time, user and system, of the installed command with its bytecode compiled, as an installation leaves it. The
configuration (`tests/render/everything.py`) has every job, kind of receiver, objective and schedule, and two of each
server.
"""
_LIMIT = 2.0


def measure(folder: Path) -> Iterator[Line]:
    """The command beside its start-up, and whether it says the same twice."""
    (folder / "facemon.yaml").write_text(EVERYTHING)
    environment = with_bytecode(folder)
    render: list[str | Path] = [FACEMON, "-q", "render-config", "--out", "out"]
    run_measured(render, folder, environment=environment)
    before = _digests(folder / "out")
    sides = {
        "render": lambda: run_measured(render, folder, environment=environment),
        "check": lambda: run_measured([*render, "--check"], folder, environment=environment),
        "help": lambda: run_measured([FACEMON, "--help"], folder, environment=environment),
    }
    seconds = {name: median(usage.cpu for usage in usages) for name, usages in rounds(sides).items()}
    ratio = seconds["render"] / seconds["help"]
    told = ", ".join(f"--{name} {seconds[name]:.2f} s" for name in ("check", "help"))
    note = f"{len(before) - 1} files; {seconds['render']:.2f} s, {told}"
    what = "render-config, everything on: processor time against facemon --help"
    yield Line(what, f"{ratio:.2f}x", f"≤ {_LIMIT:.1f}x", ratio <= _LIMIT, note)
    same = before == _digests(folder / "out")
    yield Line(f"files after {2 * ROUNDS} further runs", "the same" if same else "others", "byte for byte", same)


def _digests(folder: Path) -> dict[Path, str]:
    return {path: sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}
