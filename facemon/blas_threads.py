"""How many threads libraries may have, whatever the variables of the user's shell or container say.

One for linear algebra: there is next to none here, there is a worker for each core already, and starting a pool costs
more than it gives. For Arrow, which reads OpenMP's variable, as many as this process can use at once.
"""

import os

from facemon.available_cores import available_cores

_ONE = (
    "OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)  # fmt: skip
_NONE = ("OMP_THREAD_LIMIT", "OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY")
"""They tie a process, and with it the workers that are forked from it, to one core, or Arrow to one thread."""
_users: dict[str, str | None] = {}
"""What was there before, of each variable that is another now."""


def use_few_threads() -> None:
    """Set the variables that libraries read when they are first imported."""
    _set("OMP_NUM_THREADS", str(available_cores()))
    for name in _ONE:
        _set(name, "1")
    for name in _NONE:
        _set(name, None)


def environment_of_others() -> dict[str, str]:
    """The environment for a command of the user's own, as the user has set it."""
    environment = {**os.environ, **{name: value for name, value in _users.items() if value is not None}}
    return {name: value for name, value in environment.items() if _users.get(name, "") is not None}


def _set(name: str, value: str | None) -> None:
    _users.setdefault(name, os.environ.get(name))
    if value is not None:
        os.environ[name] = value
    else:
        os.environ.pop(name, None)
