"""The dashboard *System Metrics*: the machines and containers that all of this runs on."""

from typing import Any

from facemon.config.document import Config
from facemon.render import foreign_metrics as foreign
from facemon.render import promql
from facemon.render.alert import Dashboard
from facemon.render.dashboards.panel import Panel, Query, Variable, dashboard

_INSTANCE = promql.chosen("instance", "instance")
_WINDOW = promql.RATE_INTERVAL
# Containers have names; the groups that only add them up have none.
_NAMED = promql.differs("name", "")


def system_metrics(config: Config) -> dict[str, Any]:
    """Build the dashboard; nothing in it depends on the configuration yet."""
    del config
    variable = Variable("instance", "instance", foreign.NODE_CPU.name)
    return dashboard(Dashboard.SYSTEM_METRICS, (*_machine(), *_containers()), (variable,))


def _machine() -> tuple[Panel, ...]:
    idle = promql.rate(foreign.NODE_CPU, _WINDOW, promql.equals("mode", "idle"), _INSTANCE)
    free = promql.divide(
        promql.select(foreign.NODE_MEMORY_AVAILABLE, _INSTANCE), promql.select(foreign.NODE_MEMORY_TOTAL, _INSTANCE)
    )
    return (
        Panel(
            title="CPU and memory",
            description="Share of the machine's CPU time and memory in use.",
            unit="percentunit",
            queries=(
                Query(promql.complement(promql.aggregate("avg", idle, by=("instance",))), "CPU {{instance}}"),
                Query(promql.complement(free), "memory {{instance}}"),
            ),
            highest=1,
        ),
        _in_and_out("Disk I/O", "Bytes per second read from and written to each machine's disks.",
                    ("read", foreign.NODE_DISK_READ), ("written", foreign.NODE_DISK_WRITTEN), ()),
        _in_and_out("Network", "Bytes per second received and sent by each machine, without its own loopback.",
                    ("received", foreign.NODE_NETWORK_RECEIVED), ("sent", foreign.NODE_NETWORK_SENT),
                    (promql.differs("device", "lo"),)),
    )  # fmt: skip


def _in_and_out(
    title: str,
    description: str,
    incoming: tuple[str, promql.Series],
    outgoing: tuple[str, promql.Series],
    matchers: tuple[promql.Matcher, ...],
) -> Panel:
    queries = tuple(
        Query(
            promql.aggregate("sum", promql.rate(metric, _WINDOW, _INSTANCE, *matchers), by=("instance",)),
            f"{word} {{{{instance}}}}",
        )
        for word, metric in (incoming, outgoing)
    )
    return Panel(title=title, description=description, unit="Bps", queries=queries)


def _containers() -> tuple[Panel, ...]:
    cpu = promql.aggregate("sum", promql.rate(foreign.CONTAINER_CPU, _WINDOW, _NAMED), by=("name",))
    memory = promql.aggregate("sum", promql.select(foreign.CONTAINER_MEMORY, _NAMED), by=("name",))
    return (
        Panel(
            title="Containers: CPU",
            description="Cores that each container keeps busy.",
            unit="short",
            queries=(Query(cpu, "{{name}}"),),
        ),
        Panel(
            title="Containers: memory",
            description="Memory that each container holds and cannot give back.",
            unit="bytes",
            queries=(Query(memory, "{{name}}"),),
        ),
    )
