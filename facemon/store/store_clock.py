"""The time that a store goes by: the clock's, unless the store knows better.

The last reading of a clock that was right lies in the file `clock`. It matters within one boot only, so it need not
survive a power cut, is not part of a backup, and is written again with each command.
"""

import json
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from facemon.domain.clock_judgement import ClockJudgement, ClockReading, SeenTime, judge
from facemon.domain.times import format_time, parse_time
from facemon.store.layout import CLOCK
from facemon.store.permissions import make_file

HINT = "correct the clock, or run facemon store clock --accept if it is right"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_UPTIME = Path("/proc/uptime")
_TIMEX_BYTES = 512
"""More than adjtimex(2) reads and writes on any machine."""
_TIME_ERROR = 5
"""What adjtimex(2) returns for a clock that is not synchronised."""


class StoreClock:
    """Tells the time; a process that is forked, and threads, may share one."""

    def __init__(self, folder: Path, seen: SeenTime | None) -> None:
        """`seen` is the newest time that the ledger holds."""
        self._file = folder / CLOCK
        self._seen = seen
        self._kept = _read(self._file)
        reading = read_clock()
        if self._kept is None and not self.judge(reading).is_doubtful:
            self._kept = reading  # what happens to the clock from now on is judged by the uptime

    def now(self) -> datetime:
        """The time to go by."""
        return self.judge().now

    def judge(self, reading: ClockReading | None = None) -> ClockJudgement:
        """Whether the clock is right at this moment."""
        reading = reading or read_clock()
        judged = judge(reading, self._kept, self._seen, _is_synchronised)
        if judged.is_doubtful and (kept := _read(self._file)) not in (None, self._kept):
            # Another process may have kept a later reading, or the user has accepted the clock meanwhile.
            self._kept = kept
            return judge(reading, self._kept, self._seen, _is_synchronised)
        return judged

    def doubt(self) -> str | None:
        """What is wrong with the clock; None for a clock that is right."""
        judged = self.judge(reading := read_clock())
        return judged.message(reading.at) if judged.is_doubtful else None

    def warning(self) -> str | None:
        """What is wrong with the clock, which time is written, and what to do; None for a clock that is right."""
        judged = self.judge(reading := read_clock())
        if not judged.is_doubtful:
            return None
        used = "the clock's time is recorded" if judged.now == reading.at else "the latter is recorded"
        return f"{judged.message(reading.at)}; {used} until you {HINT}"

    def keep(self) -> None:
        """Let the next command judge the clock by this moment, if it is right now."""
        reading = read_clock()
        if not self.judge(reading).is_doubtful:
            self._write(reading)

    def accept(self) -> datetime:
        """Take the clock as right, whatever speaks against it; answer the time."""
        reading = read_clock()
        self._kept, self._seen = reading, None
        self._write(reading)
        return reading.at

    def _write(self, reading: ClockReading) -> None:
        """Replace the file as a whole; where that fails, clocks are judged by the ledger alone."""
        if reading.boot is None:
            return
        document = {"at": format_time(reading.at), "boot": reading.boot, "uptime": reading.uptime.total_seconds()}
        draft = self._file.with_name(f".{CLOCK}.{os.getpid()}")
        with suppress(OSError):
            try:
                make_file(draft)
                draft.write_text(json.dumps(document), encoding="ascii")
                draft.replace(self._file)
            finally:
                draft.unlink(missing_ok=True)


def read_clock() -> ClockReading:
    """The clock and the uptime of this moment."""
    boot = _boot()
    if boot is not None:
        with suppress(OSError, ValueError, IndexError):
            uptime = timedelta(seconds=float(_UPTIME.read_text(encoding="ascii").split()[0]))
            return ClockReading(datetime.now(UTC), boot, uptime)
    return ClockReading(datetime.now(UTC))


def _is_synchronised() -> bool:
    """Whether a time server keeps the clock, as the kernel says by adjtimex(2); False where it does not tell."""
    import ctypes  # which takes a while to load, and is needed for a doubtful clock alone

    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return False
    # All zeros ask for nothing to be changed.
    return 0 <= adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)) < _TIME_ERROR


@cache
def _boot() -> str | None:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip() or None
    except OSError:
        return None


def _read(file: Path) -> ClockReading | None:
    """The reading that was kept; None where there is none, or none that can be read."""
    try:
        document = json.loads(file.read_bytes())
        return ClockReading(
            parse_time(document["at"]), str(document["boot"]), timedelta(seconds=float(document["uptime"]))
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
