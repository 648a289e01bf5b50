"""Which file system a store lies on: on a network's, two writers can destroy the ledger."""

from functools import lru_cache
from pathlib import Path

from facemon.errors import FacemonError

_NETWORK_FILE_SYSTEMS = ("nfs", "cifs", "smb", "9p", "fuse.sshfs", "fuse.s3fs", "ceph", "glusterfs", "lustre", "afs")


def refuse_network(folder: Path) -> None:
    """SQLite's write-ahead log needs memory that all its users share, which no network file system gives."""
    kind = _file_system_on(folder, folder.stat().st_dev if folder.exists() else None)
    if kind.startswith(_NETWORK_FILE_SYSTEMS):
        raise FacemonError(
            f"{folder} lies on a network file system ({kind}), where two writers can destroy the ledger",
            "name a folder on a local disk under store.path",
        )


@lru_cache(maxsize=16)
def _file_system_on(folder: Path, device: int | None) -> str:
    """A store is opened twice a second, for each scrape too: the mounts are read again once its device is another."""
    del device
    return file_system_of(folder)


def file_system_of(path: Path) -> str:
    """The type of the file system that a path lies on, as Linux names it; empty where that is unknown."""
    target = path.resolve()
    best, kind = -1, ""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    for line in mounts:
        left, _, right = line.partition(" - ")
        point = Path(left.split()[4].replace("\\040", " "))
        # Of two mounts on the same point (an automounter's and the real one) the later one counts.
        if len(point.parts) >= best and (point == target or point in target.parents):
            best, kind = len(point.parts), right.split()[0]
    return kind
