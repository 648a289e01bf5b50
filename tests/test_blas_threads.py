"""Variables that set how many threads libraries have: none of a user's slows a command, each comes back for a hook."""

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from facemon import blas_threads
from facemon.available_cores import available_cores
from facemon.blas_threads import environment_of_others, use_few_threads

MANY = {
    "OMP_NUM_THREADS": "64", "OPENBLAS_NUM_THREADS": "64", "MKL_NUM_THREADS": "64", "GOTO_NUM_THREADS": "64",
    "OMP_THREAD_LIMIT": "64", "OMP_PROC_BIND": "true", "OMP_PLACES": "{0}",
}  # fmt: skip
FEW = {**dict.fromkeys(MANY, "1"), "OMP_PROC_BIND": "true", "OMP_PLACES": "{0}"}
PROBE = """
import os
from facemon.blas_threads import use_few_threads
use_few_threads()
import numpy, scipy.linalg
numpy.ones((400, 400)) @ numpy.ones((400, 400))
scipy.linalg.lu(numpy.ones((400, 400)))
threads = len(os.listdir("/proc/self/task"))
import pyarrow
print(threads, pyarrow.cpu_count(), len(os.sched_getaffinity(0)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("given", [{}, MANY, FEW], ids=["none", "many", "few"])
def test_linear_algebra_has_one_thread_and_arrow_all_cores(given: Mapping[str, str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in MANY}
    command = [sys.executable, "-c", PROBE]
    answer = subprocess.run(command, env={**environment, **given}, capture_output=True, text=True, check=True)
    threads, for_arrow, cores = map(int, answer.stdout.split())
    assert threads == 1
    assert 1 <= for_arrow <= cores
    assert for_arrow == available_cores()


@pytest.mark.parametrize("given", [{}, MANY, FEW, {"OMP_NUM_THREADS": ""}], ids=["none", "many", "few", "empty"])
def test_a_hook_has_the_users_own_variables(monkeypatch: pytest.MonkeyPatch, given: Mapping[str, str]) -> None:
    for name in (*MANY, *os.environ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(blas_threads, "_users", {})
    users = {**given, "HOME": "/home"}
    for name, value in users.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    use_few_threads()
    use_few_threads()
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"
    assert "OMP_PLACES" not in os.environ
    assert environment_of_others() == before
    for name in set(os.environ) - set(before):
        del os.environ[name]
