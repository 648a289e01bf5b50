"""Keeps pydantic from its search for plugins, which loads a library and reads a file of each installed distribution.

facemon uses none. pydantic asks one module of its own for them, so an empty one takes its place before pydantic is
loaded; where a version of pydantic asks another module, it searches as always.
"""

import sys
from types import ModuleType

_LOADER = "pydantic.plugin._loader"


class _NoPlugins(ModuleType):
    """The loader, which has found nothing."""

    @staticmethod
    def get_plugins() -> tuple[object, ...]:
        """Return no plugins."""
        return ()


def leave_plugins_out() -> None:
    """Let pydantic find no plugins, unless it has searched already."""
    sys.modules.setdefault(_LOADER, _NoPlugins(_LOADER))
