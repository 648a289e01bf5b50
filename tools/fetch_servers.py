"""Decides where the servers of the tests come from: Debian's own packages, unpacked below .tools/servers.

Nothing is installed or started and no root is needed; the sources and keys are those of the machine's own apt.
"""

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

TOOLS = Path(__file__).resolve().parent.parent / ".tools"
PACKAGES = ("prometheus", "prometheus-alertmanager", "prometheus-pushgateway", "prometheus-node-exporter")
# Newer releases of the distribution ship some of these in a package of the same name.
COMPANIONS = ("promtool", "amtool")
PROGRAMS = tuple(f"usr/bin/{name}" for name in (*PACKAGES, *COMPANIONS))

# Debian's Alertmanager reads its default templates from this absolute path, where only an installation puts them. The
# unpacked copy reads them relative to its working directory; the two must have the same length.
INSTALLED_TEMPLATES = b"/usr/share/prometheus/alertmanager"
UNPACKED_TEMPLATES = b"usr/share//prometheus/alertmanager"

# Read after the machine's own configuration, so that it wins. No hook of the machine runs, and with an empty list of
# installed packages the candidate is always one that a source offers.
APT_CONFIGURATION = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::State "{apt}/state";
Dir::State::lists "{apt}/state/lists";
Dir::State::status "{apt}/state/status";
Dir::Cache "{apt}/cache";
Dir::Cache::archives "{apt}/cache/archives";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
"""


class FetchError(Exception):
    """What makes fetching impossible here, in words for the person who asked for it."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment (of the monotonic clock) at which fetching gives up."""

    at: float

    @classmethod
    def within(cls, seconds: float) -> Self:
        """Return the deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    def seconds_left(self) -> float:
        """Return the seconds that are left; raises FetchError when none are."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise FetchError("the time allowed is over")
        return left


def run(command: Sequence[str], deadline: Deadline, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, whatever its exit status; raises FetchError when it is missing or too slow."""
    english = {**os.environ, "LC_ALL": "C"}
    try:
        return subprocess.run(
            command,
            cwd=cwd,
            env=english,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=deadline.seconds_left(),
            check=False,
        )
    except FileNotFoundError as error:
        raise FetchError(f"{command[0]} is missing on this machine") from error
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"{command[0]} took longer than the time allowed") from error


def fetch_once(what: str, is_present: Callable[[], bool], fetch: Callable[[Deadline], None]) -> int:
    """Fetch unless present, one process at a time, and return the exit status; a reason is one line on stderr."""
    words = what.replace("_", " ")
    parser = argparse.ArgumentParser(description=f"Fetch the {words} below .tools, unless present.")
    parser.add_argument("--within", type=float, default=900.0, metavar="SECONDS", help="give up after (default 900)")
    deadline = Deadline.within(parser.parse_args().within)
    try:
        if not is_present():
            TOOLS.mkdir(exist_ok=True)
            with _alone(TOOLS / f"{what}.lock", deadline):
                # Another process may have fetched them while this one waited.
                if not is_present():
                    fetch(deadline)
    except (FetchError, OSError) as error:
        print(f"The {words} cannot be fetched:", *str(error).split(), file=sys.stderr)
        return 1
    print(f".tools/{what} holds the {words}.")
    return 0


def emptied(folder: Path) -> Path:
    """Return the folder, made again: what an interrupted run left in it is gone."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def put_in_place(ready: Path, target: Path) -> None:
    """Let a finished folder take the target's name, so that a half-filled one never has it."""
    if target.exists():
        shutil.rmtree(target)
    ready.rename(target)


@contextmanager
def _alone(lock: Path, deadline: Deadline) -> Iterator[None]:
    with lock.open("w") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(min(0.2, deadline.seconds_left()))
        yield


def is_complete(folder: Path, programs: Sequence[str] = PROGRAMS) -> bool:
    """Tell whether all the programs, as paths below the folder, are there."""
    return not _missing(folder, programs)


def configured_apt(apt: Path, more: str = "") -> Path:
    """Return a configuration file by which apt keeps all that it stores in the folder, and changes nothing else."""
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    (apt / "state/status").touch()
    configuration = apt / "apt.conf"
    configuration.write_text(APT_CONFIGURATION.format(apt=apt) + more, encoding="utf-8")
    return configuration


def require_apt() -> None:
    """Raise FetchError where there is no apt."""
    for command in ("apt-get", "dpkg-deb"):
        if shutil.which(command) is None:
            raise FetchError(f"{command} is missing: they are packages of Debian and Ubuntu")


def unpack_packages(
    target: Path, packages: Sequence[str], programs: Sequence[str], configuration: Path, deadline: Deadline
) -> None:
    """Unpack packages, and companions of theirs that a newer release ships apart, into the target folder."""
    update_error = read_package_lists(configuration, deadline)
    print(f"Downloading and unpacking {len(packages)} packages ...", flush=True)
    folder = emptied(target.with_name(f"{target.name}.part"))
    unpack_archives(download_packages(packages, configuration, deadline, update_error), folder, deadline)
    companions = [name for name in COMPANIONS if _missing(folder, [f"usr/bin/{name}"])]
    if companions:
        unpack_archives(download_packages(companions, configuration, deadline, update_error), folder, deadline)
    if missing := _missing(folder, programs):
        raise FetchError(f"the packages of this machine's sources lack {', '.join(missing)}")
    _let_alertmanager_run_unpacked(folder / "usr/bin/prometheus-alertmanager")
    put_in_place(folder, target)
    shutil.rmtree(configuration.parent / "packages")


def read_package_lists(configuration: Path, deadline: Deadline) -> str:
    """Read what the apt sources offer; return the first trouble, or nothing.

    A source that fails does not stop the rest: another may have the packages, which downloading them will tell.
    """
    print("Reading the package lists of this machine's apt sources ...", flush=True)
    update = run(["apt-get", "-q", f"--config-file={configuration}", "update"], deadline, TOOLS)
    return _first_error(update.stderr)


def _missing(folder: Path, programs: Sequence[str]) -> list[str]:
    return [program for program in programs if not os.access(folder / program, os.X_OK)]


def _first_error(output: str) -> str:
    return next((line[3:] for line in output.splitlines() if line.startswith(("E: ", "W: Failed"))), "")


def download_packages(
    packages: Sequence[str], configuration: Path, deadline: Deadline, update_error: str
) -> list[Path]:
    """Download packages and return their archives; raises FetchError, which names `update_error` too."""
    folder = emptied(configuration.parent / "packages")
    answer = run(["apt-get", "-q", f"--config-file={configuration}", "download", *packages], deadline, folder)
    if answer.returncode != 0:
        reason = f"apt-get download: {_first_error(answer.stderr) or answer.returncode}"
        raise FetchError(f"{reason}; apt-get update: {update_error}" if update_error else reason)
    return sorted(folder.glob("*.deb"))


def unpack_archives(archives: Sequence[Path], folder: Path, deadline: Deadline) -> None:
    """Unpack the archives of packages into a folder."""
    for archive in archives:
        print(f"  {archive.stem}")
        answer = run(["dpkg-deb", "-x", str(archive), str(folder)], deadline, folder)
        if answer.returncode != 0:
            raise FetchError(f"dpkg-deb -x {archive.name}: {answer.stderr}")


def _let_alertmanager_run_unpacked(binary: Path) -> None:
    binary.write_bytes(binary.read_bytes().replace(INSTALLED_TEMPLATES, UNPACKED_TEMPLATES))


def _fetch_servers(deadline: Deadline) -> None:
    require_apt()
    unpack_packages(TOOLS / "servers", PACKAGES, PROGRAMS, configured_apt(TOOLS / "apt"), deadline)


if __name__ == "__main__":
    sys.exit(fetch_once("servers", lambda: is_complete(TOOLS / "servers"), _fetch_servers))
