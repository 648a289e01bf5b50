"""Signals at every kind of moment: no traceback, exit 130, nothing shown that is not logged, no process left."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from facemon.store.inventory import take_inventory
from facemon.store.ledger.opening import open_ledger
from facemon.store.verification import verify
from tests.acceptance.logged_folder import log_some
from tests.acceptance.test_workers import all_gone
from tests.conftest import RunFacemon
from tests.patience import HANG_S

pytestmark = pytest.mark.slow

COMMAND = Path(sys.executable).with_name("facemon")
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Python tells this hook of what a process is about to do, so a signal comes at exactly that moment.
AT_A_MOMENT = """
import os, sys
process, event, part, number, times = os.getpid(), "{event}", "{part}", {number}, {times}
def hook(name, arguments):
    global times
    if times and name == event and os.getpid() == process and part in " ".join(map(str, arguments)):
        times -= 1
        os.kill(process, number)
sys.addaudithook(hook)
"""
MOMENTS = {
    # Once signals are heeded: the first module that is loaded then, and much later ones.
    "the command line is loaded": (("import", "facemon.blas_threads"), "store verify"),
    "pyarrow is loaded": (("import", "pyarrow.lib"), "reference set --since 2026-11-20 --name other"),
    "onnxruntime is loaded": (("import", "onnxruntime.capi"), "predict many.jsonl"),
    "the store is made": (("os.mkdir", "segments"), "predict many.jsonl -c elsewhere.yaml"),
    "the ledger is put in place": (("os.rename", "ledger.new"), "predict many.jsonl -c elsewhere.yaml"),
    "a segment is put in place": (("os.rename", ".parquet"), "store compact"),
    "workers are forked": (("os.fork", ""), "predict many.jsonl"),
    "a page is put in place": (("os.rename", "latest.html"), "drift-check --exit-zero -q"),
    "a file is rendered": (("os.mkdir", "monitoring"), "render-config -q"),
    "the clock is kept": (("os.rename", "clock"), "store prune -q"),
}


AT_LENGTH = ("onnxruntime is loaded", "the store is made", "a segment is put in place", "a file is rendered")


@pytest.fixture(scope="module")
def logged(facemon: RunFacemon, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store that has some rows and a reference, and a manifest of 100 images."""
    folder = tmp_path_factory.mktemp("logged")
    log_some(facemon, folder, "--threads", "2")
    return folder


@pytest.fixture
def folder(logged: Path, tmp_path: Path) -> Path:
    """A copy of `logged` for one test."""
    return shutil.copytree(logged, tmp_path / "copy")


@contextmanager
def running(
    folder: Path, *arguments: str, hook: str = "", ignored: Collection[signal.Signals] = ()
) -> Iterator[subprocess.Popen[str]]:
    """The installed command, in a process group of its own as in a shell."""
    (folder / "hooks").mkdir()
    (folder / "hooks" / "sitecustomize.py").write_text(hook)

    def as_in_a_shell() -> None:
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)

    process = subprocess.Popen(
        [COMMAND, *arguments], cwd=folder, env={**os.environ, "PYTHONPATH": str(folder / "hooks")}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        preexec_fn=as_in_a_shell,  # noqa: PLW1509 - no thread of the tests holds a lock
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def group_of(process: subprocess.Popen[str]) -> list[int]:
    """The other processes of its group."""
    found = subprocess.run(["ps", "-o", "pid=", "-g", str(process.pid)], capture_output=True, text=True, check=False)
    return [int(number) for number in found.stdout.split() if int(number) != process.pid]


def assert_whole(store: Path) -> int:
    """The number of rows of a store in which nothing is lost or counted twice."""
    with open_ledger(store) as ledger:
        assert not verify(ledger).problems
        return take_inventory(ledger).rows


@pytest.mark.parametrize(
    "moment", [pytest.param(each, marks=pytest.mark.only_at_length if each in AT_LENGTH else ()) for each in MOMENTS]
)
def test_a_signal_at_any_moment_ends_a_command_quietly_and_leaves_a_whole_store(
    folder: Path, facemon: RunFacemon, moment: str
) -> None:
    (event, part), line = MOMENTS[moment]
    place = list(MOMENTS).index(moment)
    number, times = ENDING[place % 3], 1 + place % 2
    hook = AT_A_MOMENT.format(event=event, part=part, number=int(number), times=times)
    with running(folder, *line.split(), hook=hook) as process:
        _, said = process.communicate(timeout=HANG_S)
        assert all_gone(group_of(process))
    assert process.returncode == 130, said
    assert [each for each in said.splitlines() if not each.startswith(("error: ", "warning: ", "  hint: "))] == []
    assert said.startswith(f"error: interrupted by {number.name}") or "--resume continues" in said
    assert assert_whole(folder / ".facemon") >= 100
    again = facemon("-q", *line.split(), *(["--resume"] if "predict" in line else []), cwd=folder)
    assert again.returncode == 0, again.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_second_signal_ends_predict_at_once_and_what_was_shown_is_logged(
    folder: Path, facemon: RunFacemon, number: signal.Signals
) -> None:
    with running(folder, "predict", "-") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("a.png\n" * 40)
        process.stdin.flush()
        shown = [process.stdout.readline()]
        for _ in range(2):
            process.send_signal(number)
        out, said = process.communicate(timeout=HANG_S)
        assert all_gone(group_of(process))
    shown += out.splitlines()
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert assert_whole(folder / ".facemon") - 100 >= len(shown) >= 1
    assert facemon("predict", "-", "-q", "--resume", cwd=folder, stdin="a.png\n" * 40).returncode == 0
    assert assert_whole(folder / ".facemon") == 140


def test_a_signal_ends_predict_while_its_list_goes_on(folder: Path) -> None:
    with running(folder, "predict", "-") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("a.png\n" * 40)
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=HANG_S) == 130
    assert assert_whole(folder / ".facemon") > 100


def test_what_a_reader_got_before_it_left_is_logged(folder: Path) -> None:
    with running(folder, "predict", "many.jsonl") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        process.stdout = None
        _, said = process.communicate(timeout=HANG_S)
        assert all_gone(group_of(process))
    assert process.returncode in (0, 1), said  # all may have been in the pipe already
    assert "Traceback" not in said
    assert assert_whole(folder / ".facemon") > 100


def test_nohup_is_respected(folder: Path) -> None:
    hook = AT_A_MOMENT.format(event="os.fork", part="", number=int(signal.SIGHUP), times=2)
    with running(folder, "predict", "many.jsonl", "-q", hook=hook, ignored=(signal.SIGHUP,)) as process:
        assert process.communicate(timeout=HANG_S) == ("", "")
    assert (process.returncode, assert_whole(folder / ".facemon")) == (0, 200)
