"""A signal at any moment while processes are begun: it takes effect, and no process is left."""

import subprocess
import sys

import pytest

from tests.patience import HANG_S

SCRIPT = """
import os, signal, sys, time
from contextlib import nullcontext
from facemon.errors import Interrupted
from facemon.engines.processes import forking_server
from facemon.forked_process import ForkedProcess
from facemon.interruption import heed_signals

def begin(kind):
    if kind == "server":
        with forking_server(None, 2):
            sys.settrace(None)
            return
    process = ForkedProcess(lambda: nullcontext(lambda message: message))
    sys.settrace(None)
    process.end()
    process.join()

def left():
    try:
        return os.waitpid(-1, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return False

kind, step = sys.argv[1], 0
heed_signals()
while True:
    step += 1
    lines = 0
    def trace(frame, event, argument):
        global lines
        if "facemon" in frame.f_code.co_filename:
            lines += event == "line"
            if event == "line" and lines == step:
                signal.raise_signal(signal.SIGINT)
        return trace
    interrupted = False
    sys.settrace(trace)
    try:
        begin(kind)
    except Interrupted:
        interrupted = True
    sys.settrace(None)
    while left():
        time.sleep(0.01)
    if lines < step:
        break
    assert interrupted, step
print(step)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["server", "process"])
def test_none_is_left_whenever_the_signal_comes(kind: str) -> None:
    outcome = subprocess.run(
        [sys.executable, "-c", SCRIPT, kind], capture_output=True, text=True, timeout=HANG_S, check=False
    )
    assert outcome.returncode == 0, outcome.stderr
    assert int(outcome.stdout) > 10
