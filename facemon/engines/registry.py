"""The engines of facemon by name: an engine is one file beside this one, and its registration here."""

from collections.abc import Sequence

from facemon.engines.engine import Engine
from facemon.engines.inline import Inline
from facemon.engines.processes import Processes, can_fork
from facemon.errors import UsageError
from facemon.near_names import did_you_mean

ENGINES: dict[str, Engine] = {engine.name: engine for engine in (Inline(), Processes())}

WITHOUT_FORKS = Inline.name
"""The engine for a process that has threads already, or whose processes another program counts."""


def engine_of(name: str | None, providers: Sequence[str]) -> Engine:
    """Return the engine of a run: the named one, or None = the usual one for a model on these execution providers.

    UsageError where no engine has the name, or where the named one cannot run on these providers.
    """
    if name is None:
        return ENGINES[Processes.name if can_fork(providers) else Inline.name]
    if name not in ENGINES:
        hint = did_you_mean(name, ENGINES, f"the engines are {', '.join(ENGINES)}")
        raise UsageError(f"the engine {name} is unknown", hint)
    engine = ENGINES[name]
    engine.refuse(providers)
    return engine
