"""Panels as values: what one asks, how it is read, and what it says when there is nothing to show."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Self

from facemon.config.prometheus import Job
from facemon.render.promql import Expr, Scope

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
DATASOURCE_UID = "facemon-prometheus"
UNKNOWN = "not known"


class PanelType(StrEnum):
    """The kinds of panel in use, as Grafana names them."""

    TIMESERIES = "timeseries"
    STAT = "stat"
    TABLE = "table"
    STATES = "state-timeline"
    PIE = "piechart"
    HEATMAP = "heatmap"


class Scale(StrEnum):
    """How a time series' values are spread over its axis."""

    LINEAR = "linear"
    LOGARITHMIC = "symlog"
    """Also where a value is 0."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel and the legend of its series; in a table the heading of its column, and its unit."""

    expr: Expr
    legend: str
    unit: str | None = None
    states: Mapping[int, "State"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    """What a value means to a person."""

    text: str
    colour: str


@dataclass(frozen=True, slots=True)
class Limit:
    """A number that is drawn as a line, with another colour on its bad side."""

    value: float
    is_lowest: bool = False
    """What is bad lies below it."""
    colour: str = "red"


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel; `id` stays the same whatever panels come and go, because links to panels name it.

    `unit` is Grafana's name of it; `needs` are scrape jobs of which any brings what is asked for, none = as its section
    says.
    """

    id: int
    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    type: PanelType = PanelType.TIMESERIES
    limit: Limit | None = None
    lowest: float | None = 0
    highest: float | None = None
    decimals: int | None = None
    scale: Scale = Scale.LINEAR
    stacked: bool = False
    states: Mapping[int, State] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    """The name of a series, as its legend gives it, to what is shown in its place."""
    no_value: str = UNKNOWN
    min_step: timedelta = timedelta(0)
    """The least distance of two points, and so a quarter of the shortest window of a rate."""
    needs: tuple[Job, ...] = ()
    width: int = 12
    height: int = 8

    @property
    def is_instant(self) -> bool:
        """Whether it shows what is now, and not how it came."""
        return self.type in (PanelType.STAT, PanelType.TABLE, PanelType.PIE)

    def within(self, scope: Scope) -> Self:
        """The same panel of fewer series."""
        return replace(self, queries=tuple(replace(each, expr=each.expr.within(scope)) for each in self.queries))


def stat(
    number: int,
    title: str,
    description: str,
    unit: str,
    expr: Expr,
    *,
    limit: Limit | None = None,
    highest: float | None = None,
    decimals: int | None = None,
    states: Mapping[int, State] | None = None,
    no_value: str = UNKNOWN,
    needs: tuple[Job, ...] = (),
) -> Panel:
    """One number, as it is now; six of them fill a line."""
    return Panel(
        id=number,
        title=title,
        description=description,
        unit=unit,
        queries=(Query(expr, title),),
        type=PanelType.STAT,
        limit=limit,
        highest=highest,
        decimals=decimals,
        states=states or {},
        no_value=no_value,
        needs=needs,
        width=4,
        height=4,
    )
