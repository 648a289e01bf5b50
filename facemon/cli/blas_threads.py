"""One thread for numpy's linear algebra: there is next to none here, and starting a pool costs more than it gives."""

import os

_VARIABLE = "OPENBLAS_NUM_THREADS"
_set_here = False


def use_one_thread() -> None:
    """Ask for one thread, unless the user asked for something; numpy reads it when it is first imported."""
    global _set_here
    if _VARIABLE not in os.environ:
        os.environ[_VARIABLE], _set_here = "1", True


def environment_of_others() -> dict[str, str]:
    """The environment for a command of the user's own, which may need all threads."""
    return {name: value for name, value in os.environ.items() if not (_set_here and name == _VARIABLE)}
