"""What runs several times: each one's name, and how it is told from the others."""

from facemon.config.document import Config

HA_PROFILE = "ha"
"""The compose profile of every second server: without it the stack runs with one of each."""
REPLICA_VARIABLE = "FACEMON_REPLICA"
"""The environment variable from which each Prometheus takes its replica label; all of them read one file."""


def replica_name(service: str, number: int) -> str:
    """The first of a kind has the service's plain name, the others their number behind it."""
    return service if number == 1 else f"{service}-{number}"


def prometheus_names(config: Config) -> tuple[str, ...]:
    """The services that are a Prometheus."""
    return _names("prometheus", config.prometheus.replicas)


def alertmanager_names(config: Config) -> tuple[str, ...]:
    """The services that are an Alertmanager."""
    return _names("alertmanager", config.alertmanager.replicas)


def grafana_names(config: Config) -> tuple[str, ...]:
    """The services that are a Grafana: two where they share a database, else one with a file of its own."""
    return _names("grafana", 1 if config.grafana.database is None else 2)


def further_names(config: Config) -> tuple[str, ...]:
    """The services beyond the first of each kind, which the profile starts."""
    return (*prometheus_names(config)[1:], *alertmanager_names(config)[1:], *grafana_names(config)[1:])


def _names(service: str, count: int) -> tuple[str, ...]:
    return tuple(replica_name(service, number) for number in range(1, count + 1))
