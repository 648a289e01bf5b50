"""What every command is given: the console, the configuration and the store that it names."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.cli.console import Console

if TYPE_CHECKING:
    from facemon.config.document import Config
    from facemon.store.command_runs import Outcome
    from facemon.store.ledger import Ledger


@dataclass
class Session:
    """One run of the command line; the configuration is read when first asked for."""

    console: Console = field(default_factory=Console)
    config_path: Path | None = None
    as_root: bool = False
    """Whether root may write to a store of another user."""
    began: float = field(default_factory=time.monotonic)

    @cached_property
    def config(self) -> "Config":
        """The configuration of `--config`, of `facemon.yaml` here, or the defaults."""
        from facemon.config.loader import load_config

        return load_config(self.config_path)

    def open_ledger(self, *, create: bool = False, upgrade: bool = True) -> "Ledger":
        """The ledger of the store that the configuration names; FacemonError when there is none.

        An older one is upgraded first, unless `upgrade` is off.
        """
        from facemon.store.ledger import Ledger

        store = self.config.store
        return Ledger.open(
            store.path, create=create, upgrade=upgrade, tell=self.console.say, mode=store.mode, as_root=self.as_root
        )

    def warn_of_clock(self, ledger: "Ledger") -> None:
        """Tell, in quiet mode too, that the clock is wrong and which time is written instead."""
        if warning := ledger.clock.warning():
            self.console.warn(warning)

    @contextmanager
    def recorded(self, ledger: "Ledger", command: str, *, warns: bool = True) -> Iterator["Outcome"]:
        """Enter in the ledger how a command ended: with the code that the block sets, or with its error's.

        With `warns` a clock that is wrong is said first.
        """
        from facemon.store.command_runs import recorded

        if warns:
            self.warn_of_clock(ledger)
        with recorded(ledger, command, self.began) as outcome:
            yield outcome
