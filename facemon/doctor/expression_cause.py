"""Why an expression has no result: it is taken apart, and Prometheus is asked for each part alone.

The parts are followed from the whole to the one that is empty although all that it is computed from is there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facemon.domain.counted import counted

if TYPE_CHECKING:
    from facemon.doctor.prometheus_facts import Sample
    from facemon.render.lint.query_parts import QueryPart

Ask = Callable[[str], "Sequence[Sample]"]
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a part is empty."""

    text: str
    lacks_data: bool = False
    """Whether series are missing; else they are there, and the condition does not hold."""


def cause_of(part: "QueryPart", ask: Ask) -> Cause | None:
    """Return why the part is empty; None where it has a result. Errors are those of `ask`."""
    from facemon.render.lint.query_parts import PartKind

    if part.kind is PartKind.NUMBER or ask(part.text):
        return None
    match part.kind:
        case PartKind.SELECTOR:
            return _no_series(part, ask)
        case PartKind.COMPARISON:
            return _below(part, ask) or _not_so(part, ask)
        case PartKind.SET:
            return _set(part, ask)
        case PartKind.CALL if part.operator.startswith("absent"):
            return Cause(f"{_shown(part.parts[0].text)} has series, so it is not absent")
        case PartKind.ARITHMETIC if len(part.parts) > 1:
            return _below(part, ask) or Cause(f"both sides of {_shown(part.text)} have series, but no labels in common")
        case _:
            return _below(part, ask) or Cause(f"{_shown(part.text)} has no value: too few samples in its window", True)


def _below(part: "QueryPart", ask: Ask) -> Cause | None:
    """The cause of the first part that is empty; None where none is."""
    return next((cause for each in part.parts if (cause := cause_of(each, ask)) is not None), None)


def _no_series(part: "QueryPart", ask: Ask) -> Cause:
    if not part.metric:
        return Cause(f"no series matches {_shown(part.text)}", True)
    if not (there := ask(f"count({part.metric})")):
        return Cause(f"Prometheus has no series {part.metric}", True)
    count = counted(int(there[0].value), "series", "series")
    for label, matcher in part.matchers:
        if ask(f"{part.metric}{{{matcher}}}"):
            continue
        found = ask(f"count by ({label}) ({part.metric})")
        values = sorted({each.labels.get(label, "") for each in found})
        named = ", ".join(value or "(empty)" for value in values[:_MOST_NAMED])
        return Cause(f"{part.metric} has {count}, but none with {matcher}: {label} is {named}", True)
    return Cause(f"{part.metric} has {count}, but none that matches {_shown(part.text)}", True)


def _not_so(part: "QueryPart", ask: Ask) -> Cause:
    from facemon.render.lint.query_parts import PartKind

    left, right = part.parts
    if right.kind is not PartKind.NUMBER:
        return Cause(f"no series of {_shown(left.text)} is {part.operator} {_shown(right.text)}")
    values = [each.value for each in ask(left.text)]
    least, most = min(values, default=0.0), max(values, default=0.0)
    span = f"{least:g}" if least == most else f"{least:g} to {most:g}"
    series = counted(len(values), "series", "series")
    return Cause(f"{_shown(left.text)} is {span} ({series}), and none is {part.operator} {right.text}")


def _set(part: "QueryPart", ask: Ask) -> Cause:
    left, right = part.parts
    first = cause_of(left, ask)
    if part.operator == "or":
        causes = [cause for cause in (first, cause_of(right, ask)) if cause is not None]
        # A side whose series are there could have fired; one that lacks them often belongs to another set-up.
        causes.sort(key=lambda cause: cause.lacks_data)
        return Cause("; ".join(cause.text for cause in causes), all(cause.lacks_data for cause in causes))
    if first is not None:
        return first
    if part.operator == "unless":
        return Cause(f"all series of {_shown(left.text)} are left out by unless {_shown(right.text)}")
    second = cause_of(right, ask)
    return second or Cause(f"no labels of {_shown(left.text)} are those of {_shown(right.text)}")


def _shown(text: str) -> str:
    return " ".join(text.split())
