"""Looks into PromQL with a real parser: is it valid, and does it ask for metrics that somebody exports?"""

import promql_parser

from facemon.render.foreign_metrics import FOREIGN
from facemon.render.promql import RANGE, RATE_INTERVAL, exposed_names
from facemon.render.recording_rules import RECORDED
from facemon.values.metric_catalogue import CATALOGUE

KNOWN = {*FOREIGN, *RECORDED, *(name for metric in CATALOGUE.values() for name in exposed_names(metric))}


def metrics_in(query: str) -> set[str]:
    """The metrics that a query asks for; ValueError if it is not PromQL."""
    parsed = promql_parser.parse(query.replace(RATE_INTERVAL, "5m").replace(RANGE, "1d"))
    return set(_names(parsed))


def _names(expr: object) -> list[str]:
    if isinstance(expr, promql_parser.VectorSelector):
        return [expr.name or "a selector without a name"]
    if isinstance(expr, promql_parser.MatrixSelector):
        return _names(expr.vector_selector)
    found = []
    for part in ("lhs", "rhs", "expr"):
        if hasattr(expr, part):
            found += _names(getattr(expr, part))
    if isinstance(expr, promql_parser.Call):
        for argument in expr.args:
            found += _names(argument)
    return found
