"""What a signal that ends a command meets on its way, in real processes."""

import subprocess
import sys

import pytest

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
