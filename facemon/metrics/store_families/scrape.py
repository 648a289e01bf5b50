"""What a scrape asks of the store."""

from dataclasses import dataclass
from functools import cached_property

from facemon.config.model import ModelConfig
from facemon.store.command_run import CommandRun
from facemon.store.ledger.protocol import Ledger
from facemon.store.shown_models import checked_models


@dataclass(frozen=True)  # a cached property needs a dictionary
class Scrape:
    """An open ledger in one transaction, and what to show of it."""

    ledger: Ledger
    model: ModelConfig
    """The configured model, whose series are all there from the start."""
    instance: str | None
    """Whose requests are shown: one API, `EVERY_INSTANCE`, or None."""
    announced: CommandRun | None
    """The run to show in place of the ledger's entry for its command."""
    min_labels: int
    """How many true labels an accuracy needs."""

    @cached_property
    def checked(self) -> frozenset[str]:
        """The models whose drift is shown."""
        return checked_models(self.ledger, self.model.id)
