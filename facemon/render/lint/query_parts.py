"""A PromQL expression as a tree of parts, each with its own text, so that a server can be asked for each alone."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import promql_parser
from promql_parser import MatchOp

_COMPARISONS = frozenset(("==", "!=", ">", "<", ">=", "<="))
_SIGNS = ((MatchOp.Equal, "="), (MatchOp.NotEqual, "!="), (MatchOp.Re, "=~"), (MatchOp.NotRe, "!~"))
"""Pairs, because a MatchOp is not hashable."""
_NAME = "__name__"


class PartKind(StrEnum):
    """What a part does."""

    NUMBER = "number"
    """A number or a text, and what is made of them alone."""
    SELECTOR = "selector"
    RANGE = "range"
    COMPARISON = "comparison"
    SET = "set"
    """`and`, `or` and `unless`."""
    ARITHMETIC = "arithmetic"
    AGGREGATION = "aggregation"
    CALL = "call"


@dataclass(frozen=True, slots=True)
class QueryPart:
    """One part; `parts` are those that it is computed from, in their order."""

    kind: PartKind
    text: str
    operator: str = ""
    """The operator of two sides, or the name of a function."""
    parts: "tuple[QueryPart, ...]" = ()
    metric: str = ""
    """The name of a selector's metric; empty where it names several."""
    matchers: tuple[tuple[str, str], ...] = ()
    """A selector's labels, each with its matcher as it is written."""


def query_parts(text: str) -> QueryPart:
    """Take an expression apart; ValueError for what is not PromQL."""
    return _part(promql_parser.parse(text))


def canonical(text: str) -> str:
    """The expression in the one form that all spellings of it have; an expression that is not PromQL as it is."""
    try:
        return " ".join(promql_parser.parse(text).prettify().split())
    except ValueError:
        return text


def _part(expr: Any) -> QueryPart:
    text = expr.prettify()
    match expr:
        case promql_parser.ParenExpr():
            return _part(expr.expr)
        case promql_parser.VectorSelector():
            return _selector(expr, text)
        case promql_parser.MatrixSelector() | promql_parser.SubqueryExpr():
            inner = expr.vector_selector if isinstance(expr, promql_parser.MatrixSelector) else expr.expr
            return QueryPart(PartKind.RANGE, text, parts=(_part(inner),))
        case promql_parser.BinaryExpr():
            return _two_sides(expr, text)
        case promql_parser.AggregateExpr():
            return QueryPart(PartKind.AGGREGATION, text, str(expr.op), (_part(expr.expr),))
        case promql_parser.Call():
            parts = tuple(_part(argument) for argument in expr.args)
            return QueryPart(PartKind.CALL, text, expr.func.name, parts)
        case promql_parser.UnaryExpr():
            return QueryPart(PartKind.ARITHMETIC, text, "-", (_part(expr.expr),))
        case _:
            return QueryPart(PartKind.NUMBER, text)


def _selector(expr: Any, text: str) -> QueryPart:
    found = [each for each in expr.matchers.matchers if each.name != _NAME]
    matchers = tuple((each.name, f"{each.name}{_sign(each.op)}{_quoted(each.value)}") for each in found)
    return QueryPart(PartKind.SELECTOR, text, metric=expr.name or "", matchers=matchers)


def _sign(operation: Any) -> str:
    return next(sign for known, sign in _SIGNS if known == operation)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _two_sides(expr: Any, text: str) -> QueryPart:
    operator, parts = str(expr.op), (_part(expr.lhs), _part(expr.rhs))
    if operator in ("and", "or", "unless"):
        return QueryPart(PartKind.SET, text, operator, parts)
    # With `bool` a comparison drops nothing: it gives 0 or 1.
    drops = operator in _COMPARISONS and not getattr(expr.modifier, "return_bool", False)
    return QueryPart(PartKind.COMPARISON if drops else PartKind.ARITHMETIC, text, operator, parts)
