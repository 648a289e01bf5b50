"""The quota of processor time, as the kernel shows it to a process in a cgroup of either version."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from facemon.available_cores import available_cores, cores_within, cpu_quota

V1 = "33 32 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct\n"
V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
OTHERS = (
    "22 28 0:20 / /proc rw,nosuid - proc proc rw\n"
    "36 31 0:33 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "37 31 0:34 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
)


def quota(root: Path, own: str, mounts: str, files: Mapping[str, str]) -> float | None:
    """What is read of a made /proc and /sys."""
    for name, text in {"proc/self/cgroup": own, "proc/self/mountinfo": OTHERS + mounts, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return cpu_quota(root)


def v1(folder: str, quota_us: int, period_us: int = 100_000) -> dict[str, str]:
    folder = f"sys/fs/cgroup/cpu,cpuacct/{folder}"
    return {f"{folder}/cpu.cfs_quota_us": f"{quota_us}\n", f"{folder}/cpu.cfs_period_us": f"{period_us}\n"}


def v2(folder: str, text: str) -> dict[str, str]:
    return {f"sys/fs/cgroup/{folder}/cpu.max": f"{text}\n"}


@pytest.mark.parametrize(
    ("own", "files", "cores"),
    [
        ("0::/\n", {}, None),
        ("0::/a\n", v2("a", "max 100000"), None),
        ("0::/a\n", v2("a", "200000 100000"), 2.0),
        ("0::/a\n", v2("a", "50000 100000"), 0.5),
        ("0::/a/b/c\n", v2("a", "150000 100000") | v2("a/b", "max 100000") | v2("a/b/c", "400000 100000"), 1.5),
        ("0::/a/b\n", v2("a", "400000 100000") | v2("a/b", "30000 10000") | v2("a/c", "1000 100000"), 3.0),
        ("0::/a b\n", v2("a b", "200000 100000"), 2.0),
        ("0::/a:b\n", v2("a:b", "200000 100000"), 2.0),
        # In a namespace of its own: what is mounted is the cgroup.
        ("0::/\n", v2("", "300000 100000"), 3.0),
        ("0::/../other\n", v2("", "300000 100000"), 3.0),
        ("0::/a\n", v2("a", "nonsense"), None),
        ("0::/a\n", v2("a", ""), None),
        ("0::/a\n", v2("a", "100000 0"), None),
        ("", v2("a", "100000 100000"), None),
    ],
)  # fmt: skip
def test_version_2(tmp_path: Path, own: str, files: Mapping[str, str], cores: float | None) -> None:
    assert quota(tmp_path, own, V2, files) == cores


@pytest.mark.parametrize(
    ("own", "files", "cores"),
    [
        ("4:memory:/a\n3:cpu,cpuacct:/a\n", v1("a", 150_000), 1.5),
        ("3:cpuacct,cpu:/a/b\n0::/a\n", v1("a", 100_000) | v1("a/b", -1), 1.0),
        ("3:cpu,cpuacct:/\n", v1("", -1), None),
        ("3:cpuset:/a\n", v1("a", 100_000), None),
        ("3:cpu,cpuacct:/a\n", v1("a", 400_000, 200_000) | v1("", -1), 2.0),
    ],
)
def test_version_1(tmp_path: Path, own: str, files: Mapping[str, str], cores: float | None) -> None:
    assert quota(tmp_path, own, V1, files) == cores


def test_a_container_that_sees_the_path_outside_of_it(tmp_path: Path) -> None:
    mounted = V1.replace(" / /sys", " /docker/12 /sys")
    assert quota(tmp_path, "3:cpu,cpuacct:/docker/12/a\n", mounted, v1("", 300_000) | v1("a", 200_000)) == 2.0
    assert quota(tmp_path, "3:cpu,cpuacct:/docker/34\n", mounted, v1("", 300_000)) == 3.0


def test_both_versions_side_by_side_and_a_place_with_a_blank(tmp_path: Path) -> None:
    mounts = V1 + V2.replace("/sys/fs/cgroup", r"/sys/fs/two\040groups")
    files = v1("a", 400_000) | {"sys/fs/two groups/b/cpu.max": "300000 100000\n"}
    assert quota(tmp_path, "3:cpu,cpuacct:/a\n0::/b\n", mounts, files) == 3.0


def test_without_proc_there_is_no_quota(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path) is None
    assert quota(tmp_path, "0::/a\n", "odd\n1 2 - cgroup2\n", {}) is None


@pytest.mark.parametrize(("quota", "workers"), [(None, 8), (0.2, 1), (1.0, 1), (1.5, 2), (7.2, 8), (64.0, 8)])
def test_a_part_of_a_core_is_a_core_and_affinity_is_the_most(quota: float | None, workers: int) -> None:
    assert cores_within(quota, 8) == workers


@pytest.fixture
def real_cgroup() -> Iterator[Path]:
    """A cgroup with a quota of one core, where this user may make one."""
    name = f"facemon-test-{os.getpid()}"
    forms = (
        (Path("/sys/fs/cgroup"), {"cpu.max": "100000 100000"}),
        (Path("/sys/fs/cgroup/cpu"), {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "100000"}),
    )
    for parent, files in forms:
        if not (parent / "cgroup.procs").exists():
            continue
        made = parent / name
        try:
            made.mkdir()
        except OSError:
            continue
        try:
            if all((made / file).exists() for file in files):
                for file, text in files.items():
                    (made / file).write_text(text)
                yield made
                return
        finally:
            made.rmdir()
    pytest.skip("this user may not make a cgroup with a quota")


def test_in_a_real_cgroup(real_cgroup: Path) -> None:
    assert available_cores() <= len(os.sched_getaffinity(0))
    program = (
        "import os, sys\nopen(sys.argv[1], 'w').write(str(os.getpid()))\n"
        "from facemon.available_cores import available_cores, cpu_quota\nprint(cpu_quota(), available_cores())"
    )
    command = [sys.executable, "-c", program, str(real_cgroup / "cgroup.procs")]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout == "1.0 1\n"
