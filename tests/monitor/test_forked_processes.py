"""A Monitor in forked processes: each logs its rows once, or is told why it cannot; it is not pickled."""

import copy
import pickle
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facemon import Monitor
from tests.acceptance.small_model import write_small_model
from tests.model.onnx_files import flat_image
from tests.patience import HANG_S

CHILDREN, CALLS = 3, 8
HEAD = """\
import os, sys, threading
from pathlib import Path
import facemon

monitor = facemon.Monitor("facemon.yaml")
image = Path("a.png").read_bytes()

def work(source):
    for number in range({calls}):
        monitor.log([{{"image": f"{{source}} {{number}} {{row}}", "hair": "a"}} for row in range(3)], source=source)
        monitor.predict([(f"{{source}} {{number}} 3", image)], source=source)

def forked(source, work):
    child = os.fork()
    if child:
        return child
    try:
        work(source)
    except facemon.errors.FacemonError as error:
        print(f"{{error}}; {{error.hint}}", flush=True)
        os._exit(9)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    else:
        os._exit(0)
    os._exit(1)

def ends(children):
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
"""
TOGETHER = """
if {is_warm}:
    work("before")
children = [forked(f"child {{number}}", work) for number in range({children})]
work("parent")
sys.exit(max(ends(children)))
"""
WITHIN_A_CALL = """
began, may_end = threading.Event(), threading.Event()

def rows():
    yield {{"image": "a", "hair": "a"}}
    began.set()
    may_end.wait()

thread = threading.Thread(target=lambda: monitor.log(rows(), source="thread"))
thread.start()
began.wait()
within = forked("within", work)
grandchild = forked("within", lambda source: sys.exit(ends([forked(source, work)])[0]))
may_end.set()
thread.join()
between = forked("between", work)
print(ends([within, between]), flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_small_model(tmp_path)
    flat_image(tmp_path / "a.png", (255, 0, 0))
    return tmp_path


def run(folder: Path, program: str, **values: object) -> "subprocess.CompletedProcess[str]":
    text = (HEAD + program).format(calls=CALLS, children=CHILDREN, **values)
    return subprocess.run(
        [sys.executable, "-c", text], cwd=folder, capture_output=True, text=True, check=False, timeout=HANG_S
    )


def logged(folder: Path) -> Counter[str]:
    """How many rows each source has; the store is whole, and has counted each row once."""
    monitor = Monitor(folder / "facemon.yaml")
    assert not monitor.verify_store().problems
    rows = monitor.rows(limit=None)
    assert len(set(rows["image"].to_pylist())) == rows.num_rows
    lines = [line for line in monitor.export_metrics().splitlines() if line.startswith("model_predictions_total{")]
    assert sum(float(line.rsplit(" ", 1)[1]) for line in lines) == rows.num_rows
    return Counter(rows["source"].to_pylist())


@pytest.mark.parametrize("is_warm", [False, True])
def test_parent_and_children_log_at_once(folder: Path, is_warm: bool) -> None:
    done = run(folder, TOGETHER, is_warm=is_warm)
    assert (done.returncode, done.stderr) == (0, "")
    sources = [f"child {number}" for number in range(CHILDREN)] + ["parent"] + ["before"] * is_warm
    assert logged(folder) == dict.fromkeys(sources, 4 * CALLS)


def test_a_process_that_is_forked_within_a_call_is_told(folder: Path) -> None:
    done = run(folder, WITHIN_A_CALL)
    said = "this process was forked while a thread used a facemon.Monitor, whose store and locks it has halves of"
    *lines, ended = done.stdout.splitlines()
    assert all(line.startswith(f"{said}; fork before or between calls") for line in lines)
    assert (len(lines), ended, done.returncode) == (2, "[9, 0]", 0), done.stderr
    assert logged(folder) == {"thread": 1, "between": 4 * CALLS}


@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_it_is_not_pickled(folder: Path, copied: Callable[[Any], Any]) -> None:
    monitor = Monitor(folder / "facemon.yaml")
    for given in (monitor, monitor.log):
        if given is monitor or copied is pickle.dumps:
            with pytest.raises(
                TypeError, match=r"send the path of its configuration, and create facemon.Monitor\(path\)"
            ):
                copied(given)
