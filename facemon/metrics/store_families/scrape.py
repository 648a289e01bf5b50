"""What a scrape asks of the store."""

from dataclasses import dataclass
from functools import cached_property

from facemon.config.model import ModelConfig
from facemon.store.command_run import CommandRun
from facemon.store.ledger.protocol import Ledger
from facemon.store.shown_models import checked_models


@dataclass(frozen=True)  # a cached property needs a dictionary
class Scrape:
    """An open ledger, in one transaction, and what of it is shown."""

    ledger: Ledger
    model: ModelConfig
    """The configured model, whose series are all there from the start."""
    instance: str | None
    """The API whose requests are shown; all for `EVERY_INSTANCE`, and none without one."""
    announced: CommandRun | None
    """A run that is told as it will be entered, in place of the one before."""
    min_labels: int
    """How many true labels an accuracy needs."""

    @cached_property
    def checked(self) -> frozenset[str]:
        """The models whose drift is shown."""
        return checked_models(self.ledger, self.model.id)
