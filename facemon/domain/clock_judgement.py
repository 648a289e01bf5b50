"""Whether the machine's clock is right, judged by its uptime and by what a store has seen before."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from facemon.domain.times import EPOCH

TOLERANCE = timedelta(days=1)
"""What a clock may be off before anything is said: time zones set wrong, a time server that steps it."""
LONGEST_IDLE = timedelta(days=366)
"""How long a store may rest between two boots before the clock is doubted: a yearly job is an ordinary one."""
EARLIEST = datetime(2025, 10, 1, tzinfo=UTC)
"""No clock before this is right: the oldest numpy that facemon runs with was released in September 2025."""
_UPTIME = "by this machine's uptime since facemon ran last"


@dataclass(frozen=True, slots=True)
class ClockReading:
    """What a clock said, and how long the machine had been up by then; without `boot` that is not known."""

    at: datetime
    boot: str | None = None
    """The kernel's id of the boot."""
    uptime: timedelta = timedelta(0)
    """Since that boot, time asleep included; steps of the clock do not change it."""

    def elapsed_since(self, earlier: "ClockReading") -> timedelta | None:
        """The true time since an earlier reading; None where the machine was booted in between."""
        if self.boot is None or self.boot != earlier.boot or self.uptime < earlier.uptime:
            return None  # a container may count from its own start under the boot of its host
        return self.uptime - earlier.uptime


@dataclass(frozen=True, slots=True)
class SeenTime:
    """A time that a store holds, and what it is the time of."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class ClockJudgement:
    """The time to go by, and how far the clock is off, which is 0 for a clock that is right."""

    now: datetime
    error: timedelta = timedelta(0)
    """By how much the clock is ahead of the time that it should show; negative where it is behind."""
    witness: str = ""
    """What that time is known by."""

    @property
    def is_doubtful(self) -> bool:
        """Whether the clock is said to be wrong."""
        return bool(self.error)

    def message(self, clock: datetime) -> str:
        """What is wrong with the clock, in words."""
        direction = "ahead of" if self.error > timedelta(0) else "behind"
        days = abs(self.error) // timedelta(days=1)
        off = f"{days:,} day{'s' * (days != 1)}"
        return f"the clock says {_shown(clock)}, {off} {direction} {_shown(clock - self.error)}, {self.witness}"


def judge(
    clock: ClockReading, kept: ClockReading | None, seen: SeenTime | None, is_synchronised: Callable[[], bool]
) -> ClockJudgement:
    """Judge a clock by the last reading that was found right, and by the newest time that the store has seen.

    Within one boot, uptime decides. After another one nothing tells an idle store from a clock that is ahead, unless it
    is so by more than LONGEST_IDLE. A clock that is behind what the store has seen is said to be, but gone by, unless
    it cannot be right: the store may have been written while the clock was ahead. `is_synchronised` is asked only
    where a clock is ahead of the uptime: that of a virtual machine stands still while the machine is paused.
    """
    elapsed = None if kept is None else clock.elapsed_since(kept)
    if kept is not None and elapsed is not None:
        return _by_uptime(clock.at, kept.at + elapsed, is_synchronised)
    newest = seen
    if kept is not None and (seen is None or kept.at > seen.at):
        newest = SeenTime(kept.at, "the last time facemon ran")
    if clock.at < EARLIEST:
        if newest is None or newest.at < EARLIEST:
            newest = SeenTime(EARLIEST, "the age of facemon")
        return ClockJudgement(newest.at, clock.at - newest.at, newest.what)
    if newest is None:
        return ClockJudgement(clock.at)
    error = clock.at - newest.at
    if error > LONGEST_IDLE:
        return ClockJudgement(newest.at, error, newest.what)
    if error < -TOLERANCE:
        return ClockJudgement(clock.at, error, newest.what)
    return ClockJudgement(clock.at)


def _by_uptime(clock: datetime, expected: datetime, is_synchronised: Callable[[], bool]) -> ClockJudgement:
    error = clock - expected
    if abs(error) <= TOLERANCE or (TOLERANCE < error <= LONGEST_IDLE and is_synchronised()):
        return ClockJudgement(clock)
    return ClockJudgement(expected, error, _UPTIME)


def _shown(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC" if time >= EPOCH else "a time before 1970"
