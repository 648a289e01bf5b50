"""What a whole process costs: its processor time, its wall time and the most memory that it held."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LOOK_AROUND_S = 0.01


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds of all its threads, seconds on the clock, and the peak in MB."""

    cpu: float
    wall: float
    peak: float


def run_measured(
    command: Sequence[str | Path],
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    expected: Sequence[int] = (0,),
) -> Usage:
    """Run a command to its end; RuntimeError where it ends with another code than those expected.

    The peak is what the system shows while it runs: that of a child that has ended includes what its parent held.
    """
    begin, peak = time.perf_counter(), 0.0
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    while True:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        peak = max(peak, _peak_megabytes(process.pid))
        time.sleep(_LOOK_AROUND_S)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in expected:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    return Usage(usage.ru_utime + usage.ru_stime, time.perf_counter() - begin, peak)


def with_bytecode(folder: Path) -> dict[str, str]:
    """An environment in which Python keeps the bytecode that it has compiled, whatever this process was told."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}


def _peak_megabytes(process: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0
