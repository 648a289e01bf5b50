"""The limits of the alerts that are rendered, as lines on panels."""

from facemon.config.document import Config
from facemon.render.alert_rules import alerts_of
from facemon.render.dashboards.panel import Limit


class AlertLimits:
    """Looks up an alert's limit; one that is switched off has none."""

    def __init__(self, config: Config) -> None:
        self._limits = {alert.name: alert.threshold for alert in alerts_of(config)}

    def of(self, alert: str, *, is_lowest: bool = False) -> Limit | None:
        """The line; with `is_lowest` what lies below it is bad."""
        limit = self._limits.get(alert)
        return None if limit is None else Limit(limit, is_lowest)
