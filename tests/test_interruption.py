"""What a signal that ends a command meets on its way, in real processes."""

import os
import subprocess
import sys

import pytest

from facemon.interruption import await_input
from tests.patience import HANG_S

LOST = """
import signal, time, weakref
from facemon.interruption import heed_signals
from facemon.errors import Interrupted

class Guarded:
    pass

class Destroyed:
    def __del__(self):
        {signal}

heed_signals()
try:
    {cause}
    time.sleep(86_400)
except Interrupted as interruption:
    print(interruption.message)
"""
IN_A_DESTRUCTOR = "Destroyed()"
IN_A_CALLBACK = "guarded = Guarded(); seen = weakref.ref(guarded, lambda _: {signal}); del guarded"


@pytest.mark.parametrize("cause", [IN_A_DESTRUCTOR, IN_A_CALLBACK])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_one_that_comes_where_python_drops_exceptions_is_not_lost(cause: str, name: str) -> None:
    raised = f"signal.raise_signal(signal.{name})"
    program = LOST.format(signal=raised, cause=cause.format(signal=raised))
    outcome = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=HANG_S, check=False
    )
    assert (outcome.stdout, outcome.stderr) == (f"interrupted by {name}\n", "")


def test_other_trouble_in_a_destructor_is_told() -> None:
    program = LOST.format(signal="raise ValueError('odd')", cause=IN_A_DESTRUCTOR).replace("sleep(86_400)", "sleep(0)")
    outcome = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=HANG_S, check=False
    )
    assert "ValueError: odd" in outcome.stderr


AWAITED = """
import os, signal
from facemon.errors import Interrupted
from facemon.interruption import await_input, heed_signals

nothing, _ = os.pipe()
asks, prompt = os.pipe()
asked = os.getpid()
if os.fork() == 0:
    os.close(prompt)
    while delay := os.read(asks, 1):
        for _ in range(3 * delay[0]):
            pass
        os.kill(asked, signal.SIGINT)
    os._exit(0)
heed_signals()
interrupted = 0
for at in range(20_000):
    try:
        os.write(prompt, bytes([at % 256]))
        await_input(nothing)
    except Interrupted:
        interrupted += 1
print(interrupted)
"""


@pytest.mark.slow
def test_one_that_comes_just_before_input_is_awaited_has_its_effect() -> None:
    """With a plain read one of some thousand such signals waits for a line to be typed."""
    outcome = subprocess.run(
        [sys.executable, "-c", AWAITED], capture_output=True, text=True, timeout=HANG_S, check=False
    )
    assert (outcome.stdout, outcome.stderr) == ("20000\n", "")


def test_input_that_is_there_is_not_awaited() -> None:
    theirs, ours = os.pipe()
    os.write(ours, b"yes\n")
    await_input(theirs)
    assert os.read(theirs, 9) == b"yes\n"
    os.close(ours)
    await_input(theirs)
    os.close(theirs)
