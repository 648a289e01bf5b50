"""Decides what every test may ask for: the real servers, real photographs, and the installed command."""

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings

from tests import started
from tests.order_of_tests import in_turn
from tests.patience import HANG_S
from tests.started import neutral_environment

ROOT = Path(__file__).resolve().parent.parent
# Below the timeout of a test, so that a slow network ends in a reason and not in a stack trace.
FETCH_WITHIN_S = 150
IN_MEMORY = Path("/dev/shm")
ROOM_IN_MEMORY_BYTES = 4 * 2**30
# Where Arrow traps signals, a copy of this process whose files were closed cannot be forked once more: Arrow aborts it.
# Commands that fork read no CSV by Arrow, which is what makes it trap them; here one process runs tests of both kinds.
pa.enable_signal_handlers(False)
# A busy machine draws examples slowly, which Hypothesis would call a failure.
_AT_ANY_SPEED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("short", _AT_ANY_SPEED, max_examples=20)
settings.register_profile("at length", _AT_ANY_SPEED, max_examples=200)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer `--at-length`, with which `make prove PART=tests` runs the long proofs, and `--anew`."""
    help_ = "run the tests marked long_proof in full: all kills, both generations of servers, every scenario"
    parser.addoption("--at-length", action="store_true", help=help_)
    parser.addoption("--anew", action="store_true", help="start an interpreter for each run of the command")


def pytest_configure(config: pytest.Config) -> None:
    """Keep the temporary files of the short form in memory, unless TMPDIR says where they belong.

    A store syncs each of its files. That is what a test of a store waits for on a disk, and no test takes away the
    power. At length they lie on the disk.
    """
    at_length = config.getoption("--at-length")
    settings.load_profile("at length" if at_length else "short")
    if not at_length and "TMPDIR" not in os.environ and _takes_temporary_files(IN_MEMORY):
        os.environ["TMPDIR"] = tempfile.tempdir = str(IN_MEMORY)
    started.STARTS_ANEW = at_length or config.getoption("--anew")
    started.KNOWN = started.neutral_environment()


def _takes_temporary_files(folder: Path) -> bool:
    try:
        found = os.statvfs(folder)
    except FileNotFoundError:
        return False
    # A container's is often small, and runs no scripts.
    return not found.f_flag & os.ST_NOEXEC and found.f_bavail * found.f_frsize >= ROOM_IN_MEMORY_BYTES


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out of the short form what only the long one runs, and the older generation's turn of a long proof.

    What is left out by `-m` has gone before. The slow ones with real servers and the long proofs among them come first.
    """
    if config.getoption("--at-length"):
        return
    left_out = {item for item in items if _is_for_the_long_form(item)}
    config.hook.pytest_deselected(items=list(left_out))
    kept = [item for item in items if item not in left_out]
    workers: int = getattr(config, "workerinput", {}).get("workercount", 1)
    items[:] = in_turn(kept, _takes_long, lambda item: item.path, workers)


def _takes_long(item: pytest.Item) -> bool:
    marks = {mark.name for mark in item.iter_markers()}
    return "slow" in marks and bool({"servers", "long_proof"} & marks)


def _is_for_the_long_form(item: pytest.Item) -> bool:
    if item.get_closest_marker("only_at_length") is not None:
        return True
    return item.get_closest_marker("long_proof") is not None and _generation_of(item) == "servers"


def _generation_of(item: pytest.Item) -> object:
    # Only a parametrised test has a callspec, which pytest's types do not know.
    return getattr(item, "callspec").params.get("each_generation") if hasattr(item, "callspec") else None  # noqa: B009


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None]:
    """Let no test leave a variable behind: from then on nothing could be forked, and all would be slow."""
    yield
    left = started.changes_of(neutral_environment())
    for name in left:
        os.environ.pop(name, None)
        os.environ |= {name: started.KNOWN[name]} if name in started.KNOWN else {}
    assert not left, f"the test has left these variables: {left}"


@pytest.fixture(scope="session")
def at_length(request: pytest.FixtureRequest) -> bool:
    """Whether the long proofs run in full; else in their short form."""
    return bool(request.config.getoption("--at-length"))


class RunFacemon(Protocol):
    """Runs the installed command to its end, whatever its exit status; `env` is added to a neutral environment."""

    def __call__(
        self,
        *args: str | Path,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
        timeout_s: float = HANG_S,
    ) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture(scope="session")
def servers() -> Path:
    """The folder of the unpacked servers, first argument of what tests.servers runs."""
    return _fetched("servers")


@pytest.fixture(scope="session")
def newer_servers() -> Path:
    """The folder of the unpacked servers of a newer generation (Prometheus 3), with docker-compose."""
    return _fetched("newer_servers")


@pytest.fixture(scope="session", params=["servers", "newer_servers"])
def each_generation(request: pytest.FixtureRequest) -> Path:
    """The folder of the unpacked servers, in turn of each generation."""
    folder: Path = request.getfixturevalue(request.param)
    return folder


@pytest.fixture(scope="session")
def linters() -> Path:
    """The folder of linters that are not in the development environment: actionlint, kubernetes-validate and others."""
    return _fetched("linters")


@pytest.fixture(scope="session")
def object_stores() -> Path:
    """The environment with moto's server, which speaks as S3 does."""
    return _fetched("object_stores")


@pytest.fixture(scope="session")
def rclone() -> Path:
    """The folder of rclone, whose `serve s3` ignores If-None-Match."""
    return _fetched("rclone")


@pytest.fixture(scope="session")
def faketime() -> Callable[[str], dict[str, str]]:
    """The environment of a process whose clock begins at a time in UTC, such as `2040-01-01 00:00:00`, and goes on."""
    (library,) = _fetched("faketime").glob("usr/lib/*/faketime/libfaketime.so.1")
    # A wrong clock does not change what has passed since the machine began.
    wrong = {"LD_PRELOAD": str(library), "FAKETIME_DONT_FAKE_MONOTONIC": "1", "TZ": "UTC"}
    return lambda at: {**wrong, "FAKETIME": f"@{at}"}


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The folder of headless Chromium and axe-core, which tests/pages/browser.py runs."""
    # 300 MB: too much to fetch for every run of CI.
    if not (fetched := ROOT / ".tools/browser").exists():
        pytest.skip("Chromium is not in .tools/browser: make browser")
    return fetched


@pytest.fixture(scope="session")
def photographs() -> Path:
    """The folder of real photographs with faces (not ours to ship)."""
    return _fetched("photographs")


@pytest.fixture(scope="session")
def astronaut() -> Path:
    """A photograph of one face, in the public domain: scikit-image's astronaut.png."""
    # Found, not imported: importing scikit-image takes longer than most tests.
    spec = importlib.util.find_spec("skimage")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for folder in folders:
        picture = Path(folder, "data", "astronaut.png")
        if picture.is_file():
            return picture
    pytest.fail("scikit-image and its astronaut.png are missing: pip install -e '.[dev]'")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """An empty folder that every user of this machine may read, which pytest's own (and many a TMPDIR) are not."""
    with folder_open_to_all() as folder:
        yield folder


@contextmanager
def folder_open_to_all() -> Iterator[Path]:
    folder = IN_MEMORY if Path(tempfile.gettempdir()) == IN_MEMORY else "/tmp"
    with tempfile.TemporaryDirectory(prefix="facemon-open-", dir=folder) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def facemon_anew() -> RunFacemon:
    """The installed command, as a real process, for which an interpreter is started each time."""

    def run(
        *args: str | Path,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
        timeout_s: float = HANG_S,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [_installed_command(), *args],
            cwd=cwd,
            env=neutral_environment() | dict(env or {}),
            input=stdin if stdin is not None else "",
            capture_output=True,
            encoding="utf-8",
            timeout=timeout_s,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def facemon(facemon_anew: RunFacemon) -> RunFacemon:
    """The command, as a real process that is forked from an interpreter which has loaded it."""
    return _forked(facemon_anew)


@pytest.fixture(scope="session")
def facemon_with_evidently(facemon_anew: RunFacemon) -> RunFacemon:
    """The same from an interpreter that has loaded Evidently too, for checks that would load it: that takes seconds."""
    return _forked(facemon_anew, "evidently", "evidently.presets")


def _forked(facemon_anew: RunFacemon, *further: str) -> RunFacemon:
    if started.STARTS_ANEW:
        return facemon_anew
    command = _installed_command()

    def run(
        *args: str | Path,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
        timeout_s: float = HANG_S,
    ) -> subprocess.CompletedProcess[str]:
        environment = neutral_environment() | dict(env or {})
        if not started.may_be_forked(environment):
            return facemon_anew(*args, cwd=cwd, env=env, stdin=stdin, timeout_s=timeout_s)
        ready, changes = started.shared_ready(*further), started.changes_of(environment)
        return ready.run([command, *args], cwd=cwd, changes=changes, stdin=stdin or "", timeout_s=timeout_s)

    return run


def _installed_command() -> Path:
    # Not resolved: the interpreter of a virtual environment is a link that leads out of it.
    command = Path(sys.executable).with_name("facemon")
    if not command.exists():
        pytest.fail(f"the command is not installed beside {sys.executable}: pip install -e '.[dev]'")
    return command


def _fetched(what: str) -> Path:
    # The script knows whether anything is missing, and lets one process at a time fetch it.
    script = ROOT / "tools" / f"fetch_{what}.py"
    command = [sys.executable, str(script), f"--within={FETCH_WITHIN_S}"]
    outcome = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if outcome.returncode == 0:
        return ROOT / ".tools" / what
    reason = outcome.stderr.strip()
    # Where the tests decide about a merge, a proof that was left out must not look like one that succeeded.
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason)
    pytest.skip(reason)
