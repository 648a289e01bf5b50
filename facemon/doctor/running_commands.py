"""Commands that use the store now: none of them holds a lock while it is stopped."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facemon.doctor.area import Area
from facemon.doctor.examination import Examination
from facemon.doctor.finding import Examined, Finding

if TYPE_CHECKING:
    from facemon.store.lock_holders import LockHolder


@dataclass(frozen=True, slots=True)
class RunningFacts:
    """The processes of this machine that hold a lock of the store."""

    holders: "Sequence[LockHolder]"


def gather(examination: Examination) -> RunningFacts:
    """Ask the kernel who holds the locks; none is taken."""
    from facemon.store.lock_holders import lock_holders

    return RunningFacts(lock_holders(examination.config.store.path))


def judge(facts: RunningFacts) -> Examined:
    """Name the commands that keep others waiting, or out, and do nothing."""
    looked_at = ", ".join(f"{each.command} (process {each.process})" for each in facts.holders)
    return Examined(looked_at or "none holds a lock of the store", tuple(map(_finding, _stopped(facts))))


def _stopped(facts: RunningFacts) -> "list[LockHolder]":
    return [each for each in facts.holders if each.is_stopped]


def _finding(holder: "LockHolder") -> Finding:
    seen = f"process {holder.process} is stopped, by SIGSTOP, Ctrl-Z or a debugger; others of it end with exit 75"
    return Finding(f"{holder.command} is stopped, and holds its lock", seen, f"kill -CONT {holder.process}")


AREA = Area("running commands", gather, judge)
