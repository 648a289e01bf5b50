"""How a command of this store ended last."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CommandRun:
    """A command's last run; `last_success` in microseconds since 1970, none if it never succeeded."""

    command: str
    seconds: float
    last_success: int | None
