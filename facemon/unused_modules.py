"""Keeps libraries from loading parts of themselves that no command uses and that take long to load.

- pydantic searches for plugins: that reads a file of each installed distribution. facemon uses none.
- pyarrow writes a documentation for each of its compute functions, more than half of what `pyarrow.compute` takes to
  import. A command shows none of it.

Each library asks one module of its own for it, so a module that has nothing to tell takes its place before the library
is loaded; where a version of the library asks another module, it loads all as always.
"""

import sys
from types import ModuleType


class _NoPlugins(ModuleType):
    """pydantic's loader of plugins, which has found nothing."""

    @staticmethod
    def get_plugins() -> tuple[object, ...]:
        """Return no plugins."""
        return ()


class _NoDocumentation(ModuleType):
    """pyarrow's reader of docstrings, to which every docstring is empty."""

    @staticmethod
    def NumpyDocString(_text: str) -> dict[str, list[object]]:  # noqa: N802 - pyarrow's name
        """Return the sections of a docstring that describes no parameters."""
        return {"Parameters": []}


def leave_unused_modules_out() -> None:
    """Let the libraries find nothing there, unless they have looked already."""
    for module in (_NoPlugins("pydantic.plugin._loader"), _NoDocumentation("pyarrow.vendored.docscrape")):
        sys.modules.setdefault(module.__name__, module)
