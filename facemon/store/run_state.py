"""What a ledger knows of a run: what it was given, and how far it came."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """What two runs must have in common for one to continue the other."""

    inputs: tuple[str, ...]
    """The paths as the user gave them, made absolute, and what else decides which rows come of them."""
    model: str
    fingerprint: str
    source: str | None

    @property
    def inputs_text(self) -> str:
        """The inputs as the ledger keeps them."""
        return json.dumps(self.inputs)


@dataclass(frozen=True, slots=True)
class RunState:
    """How far a run has come; times are microseconds since 1970."""

    model: str
    done: int
    """Inputs, from the first on, whose rows are in the log."""
    digest: str
    """Of the names of these inputs."""
    flushes: int
    """How often an API has written what it had predicted and counted."""
    started: int
    finished: int | None
    fingerprint: str = ""
    """Of the model; empty where that is not known."""
