"""What an attempt on a shard comes to: all that travels back from the machine that predicts it."""

from dataclasses import dataclass
from enum import StrEnum

from facemon.errors import ExitCode, FacemonError, Interrupted


class ShardEnd(StrEnum):
    """How an attempt ended."""

    DELIVERED = "delivered"
    """The shard is in the log: by this attempt, an earlier one or another machine."""
    FAILED = "failed"
    """Another attempt may succeed, as after exit code 1."""
    REFUSED = "refused"
    """Each attempt on each shard would end so, as with exit code 2."""


@dataclass(frozen=True, slots=True)
class ShardOutcome:
    """How an attempt on a shard ended, and what it predicted."""

    end: ShardEnd
    ok: int = 0
    no_face: int = 0
    failed: int = 0
    faces: int = 0
    warnings: tuple[str, ...] = ()
    message: str = ""
    """What is wrong, of an attempt that delivered nothing."""
    hint: str | None = None

    @property
    def images(self) -> int:
        """The images that this attempt predicted; 0 where the shard was delivered before."""
        return self.ok + self.no_face + self.failed


def undelivered(error: FacemonError | Interrupted) -> ShardOutcome:
    """Return the outcome of an attempt that an error ended: with exit code 2 no other attempt can succeed."""
    end = ShardEnd.REFUSED if error.exit_code is ExitCode.USAGE else ShardEnd.FAILED
    return ShardOutcome(end, message=error.message, hint=error.hint)
