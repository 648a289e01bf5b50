"""What every use case is given: the configuration, the reporter that it tells, and the store that they lead to."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from facemon.config.document import Config
    from facemon.store.ledger.protocol import Ledger
    from facemon.store.recorded_commands import Outcome


class Progress(Protocol):
    """A count that grows; the total may become known on the way."""

    @property
    def is_shown(self) -> bool:
        """Whether a user sees it, so that counting ahead for the total is worth its cost."""

    def advance(self, count: int) -> None:
        """Say that `count` more are done."""

    def expect(self, total: int) -> None:
        """Say how many there are in all."""


class HiddenProgress:
    """Progress that is not shown."""

    is_shown = False

    def advance(self, count: int) -> None:
        """Ignore that `count` more are done."""

    def expect(self, total: int) -> None:
        """Ignore how many there are in all."""


class Reporter(Protocol):
    """Takes what a use case says beside its answer; the command line prints it on stderr, Python warns and logs."""

    def say(self, text: str) -> None:
        """Tell what was done."""

    def detail(self, text: str) -> None:
        """Tell what only a verbose run is to show."""

    def notice(self, text: str) -> None:
        """Tell what a script must not overlook."""

    def warn(self, text: str) -> None:
        """Tell of trouble that does not stop the operation."""

    def progress(self, label: str, unit: str) -> AbstractContextManager[Progress]:
        """Show how far the operation has come while the block runs."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation on the store and the model of a configuration."""

    config: "Config"
    reporter: Reporter
    as_root: bool = False
    """Whether root may write to a store of another user."""
    began: float = field(default_factory=time.monotonic)
    """By the monotonic clock; what is recorded of the operation lasts from here."""

    def open_ledger(self, *, create: bool = False, upgrade: bool = True) -> "Ledger":
        """The ledger of the store that the configuration names; FacemonError when there is none.

        An older one is upgraded first, unless `upgrade` is off.
        """
        from facemon.store.ledger.opening import open_ledger

        store = self.config.store
        return open_ledger(
            store.path, create=create, upgrade=upgrade, tell=self.reporter.say, mode=store.mode, as_root=self.as_root
        )

    def warn_of_clock(self, ledger: "Ledger") -> None:
        """Tell that the clock is wrong and which time is written instead."""
        if warning := ledger.clock.warning():
            self.reporter.warn(warning)

    @contextmanager
    def recorded(self, ledger: "Ledger", command: str, *, warns: bool = True) -> "Iterator[Outcome]":
        """Enter in the ledger how a command ended: with the code that the block sets, or with its error's.

        With `warns` a clock that is wrong is said first.
        """
        from facemon.store.recorded_commands import recorded

        if warns:
            self.warn_of_clock(ledger)
        with recorded(ledger, command, self.began) as outcome:
            yield outcome
