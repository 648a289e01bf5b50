"""alertmanager.yml: who is told of what, in which words, and what keeps silent because something worse is known."""

from typing import Any

from facemon.config.alertmanager import NULL_RECEIVER
from facemon.config.document import Config
from facemon.render.alert_rules import alerts_of
from facemon.render.inhibition import inhibit_rules
from facemon.render.receivers import receiver, smtp
from facemon.render.routes import routing_tree, time_intervals


def alertmanager_config(config: Config) -> dict[str, Any]:
    """The content of `alertmanager.yml`; without receivers none is notified, and the file is still valid.

    Raises ConfigError for a route that no alert can reach.
    """
    settings = config.alertmanager
    alerts = alerts_of(config)
    content: dict[str, Any] = {}
    if settings.smtp is not None:
        content["global"] = smtp(settings.smtp, config)
    content["route"] = routing_tree(config, alerts)
    content["inhibit_rules"] = inhibit_rules(config, alerts)
    if settings.mute_times:
        content["time_intervals"] = time_intervals(settings)
    content["receivers"] = [{"name": NULL_RECEIVER}, *(receiver(each, config) for each in settings.receivers)]
    return content
