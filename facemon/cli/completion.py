"""The functions that options and arguments name for a shell that completes their values.

Each is given the context of the line so far. `terminal/shell_completion.py` keeps their errors from the shell.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from facemon.application import completed_values as values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from facemon.config.document import Config

Completion = Callable[[typer.Context], list[str]]


def _completion(read: "Callable[[Config], Iterable[str]]") -> Completion:
    """The values that the configuration of the line leads to, but for those that are given already."""

    def complete(ctx: typer.Context) -> list[str]:
        from facemon.config.loader import load_config

        given, place = None, ctx
        while given is None and place is not None:
            given, place = place.params.get("config"), place.parent  # type: ignore[assignment]
        taken = {each for value in ctx.params.values() if isinstance(value, list | tuple) for each in value}
        return [name for name in read(load_config(given)) if name.isprintable() and name not in taken]

    return complete


REFERENCES, SOURCES, MODELS = map(_completion, (values.references, values.sources, values.models))
METRICS, ALERTS, EXPLAINABLE = map(_completion, (values.metrics, values.alerts, values.explainable))
COLUMNS, ATTRIBUTES, FAIL_RULES = map(_completion, (values.columns, values.attributes, values.fail_rules))
