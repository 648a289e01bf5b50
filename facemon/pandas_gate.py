"""Keeps pandas out of a command that does not need it: pyarrow imports it at its first array, for half a second.

pyarrow looks once and works without pandas where there is none. So the gate must open before the first array, in the
commands that hand rows to a library that wants data frames.
"""

import sys
from collections.abc import Sequence
from types import ModuleType


class _PandasGate:
    """Tells Python's import system that pandas is missing.

    A finder without importlib's base class, whose module takes longer to import than all else here.
    """

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        del path, target
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is kept out of this command", name=fullname)


_GATE = _PandasGate()


def keep_pandas_out() -> None:
    """Let `import pandas` fail as if it were not installed."""
    sys.meta_path.insert(0, _GATE)


def let_pandas_in() -> None:
    """Let `import pandas` succeed again."""
    if _GATE in sys.meta_path:
        sys.meta_path.remove(_GATE)
