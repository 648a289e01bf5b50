"""The choices at the top of a dashboard."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from facemon.render import promql
from facemon.render.dashboards.panel import DATASOURCE, DATASOURCE_UID


@dataclass(frozen=True, slots=True)
class Variable:
    """The values that a label has in some series; its name is the label's."""

    name: str
    source: promql.Expr

    def within(self, scope: promql.Scope) -> Self:
        """The same values of fewer series."""
        return replace(self, source=self.source.within(scope))


def variables(
    names: Sequence[str], metrics: Sequence[promql.Series], *, of_all: Sequence[str] = ()
) -> tuple[Variable, ...]:
    """A choice for each label that these metrics have, each among what those before it leave.

    `of_all` are labels that all exported metrics have, and come last.
    """
    every = (*names, *of_all)
    matchers = [promql.chosen(name, on_any_series=name in of_all) for name in every]
    return tuple(Variable(name, promql.any_of(metrics, *matchers[:index])) for index, name in enumerate(every))


def variable_json(variable: Variable) -> dict[str, Any]:
    """A choice of any number of values, at first of all of them."""
    query = f"label_values({variable.source}, {variable.name})"
    return {
        "name": variable.name,
        "label": variable.name.capitalize(),
        "type": "query",
        "datasource": DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": f"variable-{variable.name}"},
        "current": {"text": ["All"], "value": ["$__all"]},
        "includeAll": True,
        # Also series that lack the label; a dot by itself ends with the line.
        "allValue": "(?s).*",
        "multi": True,
        "hide": 0,
        "refresh": 2,
        "sort": 1,
    }


def datasource_json() -> dict[str, Any]:
    """The choice of the Prometheus that is asked."""
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "current": {"text": "Prometheus", "value": DATASOURCE_UID},
        "hide": 0,
        "refresh": 1,
    }
