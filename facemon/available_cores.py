"""How many cores this process can keep busy: those that it may run on, and no more than the quota of its cgroups.

A container with `--cpus 2` on a machine of 64 cores may run on all 64, and when it does, it is stopped for most of each
tenth of a second.
"""

import os
import re
from collections.abc import Iterator
from math import ceil
from pathlib import Path, PurePosixPath

_ESCAPED = re.compile(r"\\([0-7]{3})")


def available_cores() -> int:
    """Return the number of cores that this process can use at once, at least one."""
    return cores_within(cpu_quota(), len(os.sched_getaffinity(0)))


def cores_within(quota: float | None, cores: int) -> int:
    """Return how many of the cores a quota, in cores, keeps busy: of one and a half, one would leave a third unused."""
    return cores if quota is None else max(1, min(cores, ceil(quota)))


def cpu_quota(root: Path = Path("/")) -> float | None:
    """Return the least quota of this process's cgroup and of those around it, in cores; None where there is none.

    Version 2 has it in cpu.max, version 1 in cpu.cfs_quota_us and cpu.cfs_period_us. `root` has /proc and /sys.

    Source: the kernel's admin-guide/cgroup-v2 and scheduler/sched-bwc; proc_pid_cgroup(5), proc_pid_mountinfo(5).
    """
    try:
        own = (root / "proc/self/cgroup").read_text(errors="surrogateescape")
        mounts = (root / "proc/self/mountinfo").read_text(errors="surrogateescape")
    except OSError:
        return None
    quotas = [
        quota
        for version, hierarchy, place in _mounts(mounts)
        if (path := _own_path(own, version)) is not None
        for folder in _folders(path, hierarchy, root / place.lstrip("/"))
        if (quota := _quota_in(folder, version)) is not None
    ]
    return min(quotas, default=None)


def _mounts(mountinfo: str) -> Iterator[tuple[int, str, str]]:
    """Yield the cgroup mounts with processor time: version, the part of the hierarchy that is mounted, and where."""
    for line in mountinfo.splitlines():
        mount, _, system = line.partition(" - ")
        fields, kind = mount.split(" "), system.split(" ")
        if len(fields) < 5 or len(kind) < 3:
            continue
        if kind[0] == "cgroup2" or (kind[0] == "cgroup" and "cpu" in kind[2].split(",")):
            yield 2 if kind[0] == "cgroup2" else 1, _unescaped(fields[3]), _unescaped(fields[4])


def _own_path(own: str, version: int) -> str | None:
    for line in own.splitlines():
        number, controllers, path = [*line.split(":", 2), "", "", ""][:3]
        if (number == "0" and not controllers) if version == 2 else "cpu" in controllers.split(","):
            return path
    return None


def _folders(path: str, hierarchy: str, mounted: Path) -> Iterator[Path]:
    """Yield the cgroup's folder and those around it, as far as they are mounted."""
    try:
        below = PurePosixPath(path).relative_to(hierarchy).parts
    except ValueError:
        below = ()  # seen from another namespace: the mounted part is all that is known
    below = () if ".." in below else below
    for depth in range(len(below), -1, -1):
        yield mounted.joinpath(*below[:depth])


def _quota_in(folder: Path, version: int) -> float | None:
    try:
        if version == 2:
            quota, period = (folder / "cpu.max").read_text().split()[:2]
        else:
            quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return int(quota) / int(period) if int(quota) > 0 and int(period) > 0 else None
    except (OSError, ValueError):  # "max"; a root cgroup has no such file
        return None


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)
