"""Which commands hold a lock of a store, and whether one of them was stopped; no lock is touched."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from facemon.store.process_lock import holder_of

_LOCKS = Path("/proc/locks")
_STOPPED = ("T", "t")
"""By a signal or from a terminal, and by a debugger."""


@dataclass(frozen=True, slots=True)
class LockHolder:
    """A process of this machine that holds a lock of the store."""

    command: str
    """The command, or the id of a run of predict."""
    process: int
    is_stopped: bool
    """Whether it holds the lock and does nothing, until it is continued or killed."""


def lock_holders(folder: Path) -> list[LockHolder]:
    """The holders that this machine's kernel knows; those of other machines and containers are not among them."""
    held = _held()
    found = []
    for path in sorted((folder / "locks").glob("*.lock")):
        process = holder_of(path).partition(" ")[0]
        with suppress(FileNotFoundError):
            if process.isdecimal() and (int(process), path.stat().st_ino) in held:
                found.append(LockHolder(path.stem, int(process), _state(int(process)) in _STOPPED))
    return found


def _held() -> Collection[tuple[int, int]]:
    """The process and the inode of each `flock`; none where the system does not tell."""
    try:
        lines = _LOCKS.read_text().splitlines()
    except OSError:
        return ()
    # "7: FLOCK  ADVISORY  WRITE 1234 00:1a:567 0 EOF"; one that waits has "->" as its second word.
    rows = [line.split() for line in lines]
    return {(int(row[4]), int(row[5].rpartition(":")[2])) for row in rows if len(row) > 5 and row[1] == "FLOCK"}


def _state(process: int) -> str:
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return ""
    # The name of the program, in brackets, may hold spaces and brackets.
    return text.rpartition(")")[2].split()[0]
