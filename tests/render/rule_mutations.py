"""Small wrong changes to a rule: what generated tests must notice."""

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

Rule = dict[str, Any]

_OPERATORS = {">": (">=", "<"), "<": ("<=", ">"), "<=": ("<", ">"), "==": ("!=", ">")}
_AGGREGATIONS = {"sum": ("max", "avg"), "count": ("max",)}


def mutants(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """Every mutant of an alerting rule, with a name that says what was changed."""
    for name, expr in _expressions(rule["expr"]):
        if expr != rule["expr"]:
            yield name, {**deepcopy(rule), "expr": expr}
    for held in _holds(rule["for"]):
        yield f"for {held}", {**deepcopy(rule), "for": held}
    yield "severity", {**deepcopy(rule), "labels": {**rule["labels"], "severity": "other"}}
    summary = {**rule["annotations"], "summary": "something else"}
    yield "summary", {**deepcopy(rule), "annotations": summary}


def _expressions(expr: str) -> Iterator[tuple[str, str]]:
    yield from _comparisons(expr)
    yield from _numbers(expr)
    yield from _windows(expr)
    yield from _aggregations(expr)
    yield from _labels(expr)
    yield from _operands(expr)
    for match in re.finditer(r"\b[a-z]\w*_\w+\b(?=[\[{ )]|$)", expr):
        if match[0] != "histogram_quantile":
            yield f"metric {match[0]}", _spliced(expr, match, "another_metric")


def _comparisons(expr: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(r" (>=|<=|==|>|<) ", expr):
        for operator in _OPERATORS[match[1]]:
            yield f"{match[1]} to {operator}", _spliced(expr, match, f" {operator} ")


def _numbers(expr: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(r"(?<![\w.\[\"])(\d+(\.\d+)?(e-?\d+)?)(?![\w.\]\"])", expr):
        number = float(match[1])
        for changed in (number * 1.01 + (number == 0) * 0.05, number * 0.99 - (number == 0) * 0.05):
            yield f"{match[1]} to {changed:g}", _spliced(expr, match, repr(changed))


def _windows(expr: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(r"\[(\d+)(m|s)\]", expr):
        for factor in (0.6, 2):
            yield f"window x{factor}", _spliced(expr, match, f"[{int(int(match[1]) * factor)}{match[2]}]")


def _aggregations(expr: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(r"\b(sum|count)\b( by \([^)]*\) )?", expr):
        for operator in _AGGREGATIONS[match[1]]:
            yield f"{match[1]} to {operator}", _spliced(expr, match, operator + (match[2] or ""))
        if match[2]:
            yield "without by", _spliced(expr, match, match[1])


def _labels(expr: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(r"(by|on) \(([^)]*)\)", expr):
        labels = match[2].split(", ")
        for label in labels:
            rest = ", ".join(each for each in labels if each != label)
            yield f"{match[1]} without {label}", _spliced(expr, match, f"{match[1]} ({rest})")
    for match in re.finditer(r'\{(\w+)="([^"]*)"\}', expr):
        yield "without matcher", _spliced(expr, match, "")
        yield "matcher's value", _spliced(expr, match, f'{{{match[1]}="other"}}')
        yield "matcher negated", _spliced(expr, match, f'{{{match[1]}!="{match[2]}"}}')


def _operands(expr: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(r"\) (and|unless|or)( on \([^)]*\))? ", expr):
        left, right = expr[: match.start() + 1], expr[match.end() :]
        outer = right[_closing(right) :]
        yield f"dropped {match[1]} and what follows", left + outer
        if match[1] == "unless":
            yield "unless to and", _spliced(expr, match, match[0].replace("unless", "and"))
    if guarded := re.search(r"\((.*) > 0\)\)", expr):
        yield "unguarded denominator", expr.replace(guarded[0], f"({guarded[1]}))")


def _closing(text: str) -> int:
    """Where the operand at the start of `text` ends."""
    depth = 0
    for index, char in enumerate(text):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth < 0:
            return index
        if depth == 0 and char == ")":
            return index + 1
    return len(text)


def _holds(held: str) -> tuple[str, ...]:
    if held == "0s":
        return ("1m",)
    minutes = int(held.removesuffix("m"))
    return (f"{minutes + 1}m", f"{minutes - 1}m")


def _spliced(expr: str, match: re.Match[str], new: str) -> str:
    return expr[: match.start()] + new + expr[match.end() :]
