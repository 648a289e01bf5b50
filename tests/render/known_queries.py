"""Looks into PromQL with a real parser: is it valid, does it ask for metrics that somebody exports, and how?"""

from collections.abc import Iterator

import promql_parser

from facemon.render.lint.query_reading import exported_metrics
from facemon.render.promql import RANGE, RATE_INTERVAL
from facemon.render.recording_rules import RECORDED

KNOWN = {*exported_metrics(), *RECORDED}
_SPECIAL_NAME = "__name__"


def metrics_in(query: str) -> set[str]:
    """The metrics that a query asks for; ValueError if it is not PromQL."""
    return {name for names, _ in selectors_in(query) for name in names}


def selectors_in(query: str) -> list[tuple[list[str], dict[str, str]]]:
    """For each selector of a query its metrics, and the pattern or value of each label that it matches."""
    parsed = promql_parser.parse(query.replace(RATE_INTERVAL, "5m").replace(RANGE, "1d"))
    return [(_names(selector), _matched(selector)) for selector in _selectors(parsed)]


def _names(selector: promql_parser.VectorSelector) -> list[str]:
    if selector.name:
        return [selector.name]
    names = [matcher.value for matcher in selector.matchers.matchers if matcher.name == _SPECIAL_NAME]
    return names[0].split("|") if names else ["a selector without a name"]


def _matched(selector: promql_parser.VectorSelector) -> dict[str, str]:
    return {matcher.name: matcher.value for matcher in selector.matchers.matchers if matcher.name != _SPECIAL_NAME}


def _selectors(expr: object) -> Iterator[promql_parser.VectorSelector]:
    if isinstance(expr, promql_parser.VectorSelector):
        yield expr
    elif isinstance(expr, promql_parser.MatrixSelector):
        yield expr.vector_selector
    elif isinstance(expr, promql_parser.Call):
        for argument in expr.args:
            yield from _selectors(argument)
    else:
        for part in ("lhs", "rhs", "expr"):
            if hasattr(expr, part):
                yield from _selectors(getattr(expr, part))
