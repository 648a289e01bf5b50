"""Small wrong changes to a rule, one at a time: what generated tests must notice.

An operator of mutation goes through a rule and changes one place after the other. The name of a mutant says what was
changed and around what, without the numbers that a configuration chooses, so that it means the same for all of them.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import promql_parser

from facemon.config.durations import format_duration, parse_duration

Rule = dict[str, Any]
Change = tuple[str, str]
"""What was changed, and the expression with the change."""

_COMPARISONS = {
    ">": (">=", "<"), ">=": (">", "<"), "<": ("<=", ">"), "<=": ("<", ">"), "==": ("!=", ">", "<"),
}  # fmt: skip
_AGGREGATIONS = {"sum": ("max", "min", "avg", "count"), "count": ("sum", "max")}
_FUNCTIONS = {"rate": ("increase", "delta"), "increase": ("rate",)}
_ARITHMETIC = {"/": ("*", "-"), "-": ("+",)}
_SETS = {"and": ("unless", "or"), "unless": ("and",), "or": ("and",)}
_NEGATED = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}
_KEYWORD = r"(?<![\w:\"])({})(?![\w:\"])"
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_CONFIGURED = re.compile(r"(?<![\w.:])\d+(?:\.\d+)?(?:e-?\d+)?(?![\w.])")
CONTEXT = 110
_PLACES = "(?:site|rack|_x)"
"""The labels that the tests' configurations choose for metrics.labels."""
_BESIDE_A_PLACE, _GROUPED_BY_PLACE = rf", {_PLACES}\b", rf" by \({_PLACES}\) (?=\()"
_TARGETS = re.compile(r'(?<=[{ ])(?:(?:job|namespace|team|_target)=~?|endpoint!~)"…"(?:, |(?=}))')
"""What narrows a selector to targets of ours that do work; how many labels that needs depends on the configuration."""
_NAMES_OF_LANGUAGE = {
    "by", "on", "ignoring", "group_right", "and", "or", "unless", "rate", "increase", "sum", "count", "max", "time",
    "vector", "absent",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """A rule with one change, and as it was."""

    operator: str
    change: str
    rule: Rule
    original: Rule


def mutants(rule: Rule) -> list[Mutant]:
    """Every mutant of an alerting or a recording rule; two that come to the same rule are one."""
    found = [
        Mutant(operator, change, changed, rule)
        for operator, make in OPERATORS.items()
        for change, changed in make(rule)
    ]
    distinct: dict[str, Mutant] = {}
    for mutant in found:
        if mutant.rule != rule:
            distinct.setdefault(repr(mutant.rule), mutant)
    return _numbered(distinct.values())


def _numbered(found: Iterable[Mutant]) -> list[Mutant]:
    """Where an expression has the same part several times, the changes of the further ones have a number."""
    seen: Counter[tuple[str, str]] = Counter()
    named = []
    for mutant in found:
        seen[mutant.operator, mutant.change] += 1
        number = seen[mutant.operator, mutant.change]
        named.append(mutant if number == 1 else replace(mutant, change=f"{mutant.change} ({number})"))
    return named


def _in_expression(make: Callable[[str], Iterator[Change]]) -> Callable[[Rule], Iterator[tuple[str, Rule]]]:
    def operator(rule: Rule) -> Iterator[tuple[str, Rule]]:
        for change, expr in make(rule["expr"]):
            promql_parser.parse(expr)
            yield change, {**rule, "expr": expr}

    return operator


def _comparison(expr: str) -> Iterator[Change]:
    for match in re.finditer(r" (>=|<=|==|>|<) ", _blanked(expr)):
        for other in _COMPARISONS[match[1]]:
            yield _changed(expr, match, f" {other} ")


def _number(expr: str) -> Iterator[Change]:
    for match in re.finditer(r"(?<![\w.\[:])-?(\d+(\.\d+)?(e-?\d+)?)(?![\w.\]:])", _blanked(expr)):
        number = float(match[0])
        for which, other in (("a little more", number * 1.01 or 0.01), ("a little less", number * 0.99 or -0.01)):
            yield f"{_named(expr, match)} {which}", _spliced(expr, match, repr(other))


def _window(expr: str) -> Iterator[Change]:
    for match in re.finditer(r"\[(\w+)\]", _blanked(expr)):
        for which, factor in (("a quarter longer", 1.25), ("a quarter shorter", 0.75)):
            other = format_duration(parse_duration(match[1]) * factor)
            yield f"{_named(expr, match)} {which}", _spliced(expr, match, f"[{other}]")


def _offset(expr: str) -> Iterator[Change]:
    for match in re.finditer(r"offset (\w+)", _blanked(expr)):
        for which, factor in (("a quarter longer", 1.25), ("a quarter shorter", 0.75)):
            other = format_duration(parse_duration(match[1]) * factor)
            yield f"{_named(expr, match)} {which}", _spliced(expr, match, f"offset {other}")


def _aggregation(expr: str) -> Iterator[Change]:
    yield from _exchanged(expr, _AGGREGATIONS)


def _function(expr: str) -> Iterator[Change]:
    yield from _exchanged(expr, _FUNCTIONS)
    for match in re.finditer(r"\btime\(\) - ", _blanked(expr)):
        yield f"{_named(expr, match)} dropped", _spliced(expr, match, "")


def _arithmetic(expr: str) -> Iterator[Change]:
    for match in re.finditer(r" ([/-]) ", _blanked(expr)):
        for other in _ARITHMETIC[match[1]]:
            yield _changed(expr, match, f" {other} ")


def _set_operator(expr: str) -> Iterator[Change]:
    for match in re.finditer(_KEYWORD.format("and|unless|or"), _blanked(expr)):
        for other in _SETS[match[1]]:
            yield _changed(expr, match, other)


def _grouping(expr: str) -> Iterator[Change]:
    for match in re.finditer(r"(by|on|ignoring) \(([^)]*)\) ?", _blanked(expr)):
        labels = [label for label in match[2].split(", ") if label]
        for label in labels:
            rest = ", ".join(each for each in labels if each != label)
            yield f"{_named(expr, match)} without {label}", _spliced(expr, match, f"{match[1]} ({rest}) ")


def _matcher(expr: str) -> Iterator[Change]:
    for match in re.finditer(r'(\w+)(=~|!~|!=|=)("(?:[^"\\]|\\.)*")', expr):
        if match.start() and expr[match.start() - 1] in "{ ":
            if match[2] == "=":
                yield f"{_named(expr, match)} another value", _spliced(expr, match, f'{match[1]}="another"')
            yield f"{_named(expr, match)} negated", _spliced(expr, match, f"{match[1]}{_NEGATED[match[2]]}{match[3]}")
            yield f"{_named(expr, match)} dropped", _without_matcher(expr, match)


def _metric(expr: str) -> Iterator[Change]:
    blank = re.sub(
        r"(?:by|on|ignoring) \([^)]*\)|\{[^}]*\}|\[[^\]]*\]|offset \w+",
        lambda found: " " * len(found[0]),
        _blanked(expr),
    )
    for match in re.finditer(r"(?<![\w:])[a-zA-Z_][\w:]*(?!\w)(?!\()", blank):
        if match[0] not in _NAMES_OF_LANGUAGE:
            yield f"{_named(expr, match)} is another", _spliced(expr, match, "another_metric")


def _operand(expr: str) -> Iterator[Change]:
    """One side of a set operator, of a comparison with a number, or of a division dropped."""
    blank = _blanked(expr)
    for match in re.finditer(r" (and|unless|or)( (?:on|ignoring) \([^)]*\))? ", blank):
        start, end = _operand_before(blank, match.start()), _operand_after(blank, match.end())
        place = _named(expr, match)
        yield f"{place}: the right side dropped", expr[: match.start()] + expr[end:]
        yield f"{place}: the left side dropped", expr[:start] + expr[match.end() :]
    for match in re.finditer(r" (>=|<=|==|>|<) [\d.e-]+(?=\)|$)", blank):
        yield f"{_named(expr, match)}: the comparison dropped", _spliced(expr, match, "")
    for match in re.finditer(r" / ", blank):
        end = _operand_after(blank, match.end())
        yield f"{_named(expr, match)}: the divisor dropped", expr[: match.start()] + expr[end:]


def _hold(rule: Rule) -> Iterator[tuple[str, Rule]]:
    for key in ("for", "keep_firing_for"):
        if key in rule:
            yield from _held_otherwise(rule, key)


def _held_otherwise(rule: Rule, key: str) -> Iterator[tuple[str, Rule]]:
    held = parse_duration(rule[key])
    others = {"half as long": held / 2, "half as long again": held * 1.5, "dropped": held * 0} if held else {}
    for what, other in (others or {"a minute": parse_duration("1m")}).items():
        yield f"{key} {what}", {**rule, key: format_duration(other)}


def _text(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """A label or an annotation dropped, or with another text."""
    for part in ("labels", "annotations"):
        for name, text in rule.get(part, {}).items():
            rest = {each: value for each, value in rule[part].items() if each != name}
            if text:
                yield f"{part} {name} dropped", {**rule, part: rest}
            yield f"{part} {name} has another text", {**rule, part: {**rule[part], name: f"{text}x"}}


OPERATORS: dict[str, Callable[[Rule], Iterator[tuple[str, Rule]]]] = {
    "comparison": _in_expression(_comparison),
    "number, 1 % more or less": _in_expression(_number),
    "window, a quarter more or less": _in_expression(_window),
    "offset, a quarter more or less": _in_expression(_offset),
    "aggregation": _in_expression(_aggregation),
    "function": _in_expression(_function),
    "arithmetic": _in_expression(_arithmetic),
    "set operator": _in_expression(_set_operator),
    "label of a grouping dropped": _in_expression(_grouping),
    "matcher": _in_expression(_matcher),
    "metric": _in_expression(_metric),
    "operand dropped": _in_expression(_operand),
    "for, keep_firing_for": _hold,
    "label or annotation": _text,
}
"""What each operator is called, and how it changes a rule; expressions only in one place at a time."""


def _exchanged(expr: str, others: dict[str, tuple[str, ...]]) -> Iterator[Change]:
    for match in re.finditer(_KEYWORD.format("|".join(others)) + r"(?= by \(|\()", _blanked(expr)):
        for other in others[match[1]]:
            yield _changed(expr, match, other)


def _without_matcher(expr: str, match: re.Match[str]) -> str:
    before, after = expr[: match.start()], expr[match.end() :]
    if after.startswith(", "):
        return before + after[2:]
    if before.endswith(", "):
        return before[:-2] + after
    return before[:-1] + after[1:]


def _changed(expr: str, match: re.Match[str], other: str) -> Change:
    return f"{_named(expr, match)} to {other.strip()}", _spliced(expr, match, other)


def _spliced(expr: str, match: re.Match[str], new: str) -> str:
    return expr[: match.start()] + new + expr[match.end() :]


def _blanked(expr: str) -> str:
    """The expression with the inside of its strings blanked, so that nothing is found there."""
    return _STRING.sub(lambda found: '"' + " " * (len(found[0]) - 2) + '"', expr)


def _named(expr: str, match: re.Match[str]) -> str:
    """What is there, and where: the end of the expression before it, without what a configuration chooses."""
    before, what = _neutral(expr[: match.start()]).strip().lstrip("("), _neutral(match[0]).strip()
    return f"{what} after `{before[-CONTEXT:]}`" if before else what


def _neutral(text: str) -> str:
    text = re.sub(_GROUPED_BY_PLACE, "", re.sub(_BESIDE_A_PLACE, "", text))
    text = re.sub(r"offset \w+", "offset n", re.sub(r"\[\w+\]", "[w]", _STRING.sub('"…"', text)))
    text = _TARGETS.sub("", text).replace(", }", "}").replace("{}", "")
    text = re.sub(r"(bad_share:rate)\w+", r"\1_w", text)
    return _CONFIGURED.sub(lambda found: found[0] if found[0] in ("0", "1") else "n", text)


def _operand_before(text: str, end: int) -> int:
    """Where the operand that ends at `end` begins: after the parenthesis or comma there, or at the start."""
    depth = 0
    for place in range(end - 1, -1, -1):
        depth += {")": 1, "}": 1, "(": -1, "{": -1}.get(text[place], 0)
        if depth < 0 or (depth == 0 and text[place] == ","):
            return place + 1
    return 0


def _operand_after(text: str, start: int) -> int:
    """Where the operand that begins at `start` ends: at the parenthesis or comma that closes it, or at the end."""
    depth = 0
    for place in range(start, len(text)):
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(text[place], 0)
        if depth < 0 or (depth == 0 and text[place] == ","):
            return place
    return len(text)
