"""The page on which the exporter shows the state of its store, under one configuration after another."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facemon.config.document import Config
    from facemon.metrics.exporter import Exporter
    from facemon.reports.store_status import ExpectedChecks


class ShownStatus:
    """Makes the page of what a scrape would get at the same moment."""

    def __init__(self, exporter: "Exporter", config: "Config") -> None:
        self._exporter = exporter
        self._config = config

    def follow(self, config: "Config") -> None:
        """Judge by another configuration from now on."""
        self._config = config

    def page(self) -> Callable[[bool], str] | None:
        """Return what makes the page, or None where the configuration switches it off."""
        if not self._config.exporter.pages:
            return None
        from facemon.metrics.catalogue_values import catalogue_values
        from facemon.reports.status_page import status_page
        from facemon.reports.store_status import store_status

        def made(refreshes: bool) -> str:
            known = catalogue_values(self._exporter.registry.collect())
            return status_page(store_status(known, datetime.now(UTC), _expected(self._config)), refreshes=refreshes)

        return made


def _expected(config: "Config") -> "ExpectedChecks":
    """The checks that DriftCheckStale watches; where that alert is off, none is due."""
    from facemon.reports.store_status import ExpectedChecks

    if not config.alerts.of("DriftCheckStale").enabled:
        return ExpectedChecks(config.model.id, (), None)
    return ExpectedChecks(config.model.id, tuple(config.schedule.checks), config.alerts.oldest("DriftCheckStale"))
