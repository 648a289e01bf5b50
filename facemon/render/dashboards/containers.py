"""What the dashboard *System Metrics* shows of containers, as cAdvisor tells it."""

from collections.abc import Sequence

from facemon.render import foreign_metrics as foreign
from facemon.render import promql
from facemon.render.dashboards.in_and_out import in_and_out
from facemon.render.dashboards.panel import Panel, Query

# Containers have names; the groups that only add them up have none.
_NAMED = promql.differs("name", "")


def container_panels(targets: Sequence[promql.Matcher]) -> tuple[Panel, ...]:
    """The panels of containers; `targets` choose whose."""
    chosen = (_NAMED, *targets)
    cpu = promql.rate(foreign.CONTAINER_CPU, promql.RATE_INTERVAL, *chosen)
    memory = promql.select(foreign.CONTAINER_MEMORY, *chosen)
    running = promql.age(foreign.CONTAINER_STARTED, *chosen)
    return (
        _panel(4, "Containers: CPU", "Cores that each container keeps busy.", "short",
               promql.aggregate("sum", cpu, by=("name",))),
        _panel(5, "Containers: memory", "Memory that each container holds and cannot give back.", "bytes",
               promql.aggregate("sum", memory, by=("name",))),
        in_and_out(21, "Containers: network", "Bytes per second received and sent by each container.",
                   ("received", foreign.CONTAINER_NETWORK_RECEIVED), ("sent", foreign.CONTAINER_NETWORK_SENT),
                   chosen, by="name"),
        in_and_out(22, "Containers: disk I/O", "Bytes per second read and written by each container.",
                   ("read", foreign.CONTAINER_DISK_READ), ("written", foreign.CONTAINER_DISK_WRITTEN),
                   chosen, by="name"),
        _panel(23, "Containers: time since start", "How long each container runs: a line that falls to 0 is a restart.",
               "s", promql.aggregate("min", running, by=("name",)), width=24),
    )  # fmt: skip


def _panel(number: int, title: str, description: str, unit: str, expr: promql.Expr, width: int = 12) -> Panel:
    return Panel(
        id=number, title=title, description=description, unit=unit, queries=(Query(expr, "{{name}}"),),
        width=width,
    )  # fmt: skip
