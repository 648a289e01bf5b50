"""Every rule of many configurations is changed in every way that is known here; its generated tests must notice."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.machine import CORES, Line
from benchmarks.results_table import Table
from tests.render.configurations import DEFAULTS, OBJECTIVES, config_of
from tests.render.equivalent_mutants import kind_of
from tests.render.mutation_judge import Verdict, verdicts
from tests.render.random_configurations import sampled
from tests.render.rule_mutations import OPERATORS

ABOUT = """\
Each rule, alerting or recording, is changed in one place at a time, and promtool runs the tests that were generated for
the rule. All mutants of a rule stand in one file of rules, each under a name of its own; the rule itself stands among
them and has to pass. What the tests do not notice needs a reason in words.
"""

_TOOLS = Path(__file__).parents[1] / ".tools" / "servers"
_RANDOM = 20
_SEED = 20


def measure(folder: Path) -> Iterator[Line | Table]:
    """How many mutants are noticed: of the defaults with two objectives, and of random configurations."""
    judged: list[Verdict] = []
    texts = {"the defaults and two objectives": DEFAULTS + OBJECTIVES}
    texts |= {f"random configuration {number}": text for number, text in enumerate(sampled(_RANDOM, _SEED), 1)}
    for place, (name, text) in enumerate(texts.items()):
        found = verdicts(config_of(text), _TOOLS, folder / str(place), CORES)
        rules = len({verdict.name for verdict in found})
        judged += found
        yield _line(f"{name}: mutants noticed", found, f"{rules} rules")
    yield _line("all: mutants noticed", judged, f"{len(texts)} configurations")
    yield _operators(judged)
    yield _reasons(judged)


def _line(what: str, judged: list[Verdict], note: str) -> Line:
    killed = sum(verdict.is_killed for verdict in judged)
    explained = sum(not verdict.is_killed and verdict.reason is not None for verdict in judged)
    counted = len(judged) - explained
    for verdict in judged:
        if not verdict.is_killed and verdict.reason is None:
            print(f"not noticed: {verdict}", flush=True)
    value = f"{killed:,} of {counted:,} ({killed / counted:.1%})"
    return Line(what, value, "100 %", killed == counted, f"{note}; {explained} more have a reason")


def _operators(judged: list[Verdict]) -> Table:
    rows = []
    for operator in OPERATORS:
        some = [verdict for verdict in judged if verdict.mutant.operator == operator]
        killed = sum(verdict.is_killed for verdict in some)
        rows.append((operator, f"{len(some):,}", f"{killed:,}", f"{len(some) - killed:,}"))
    return Table(("operator", "mutants", "noticed", "not noticed, with a reason"), tuple(rows))


def _reasons(judged: list[Verdict]) -> Table:
    alive = Counter(
        (kind_of(verdict.name), verdict.mutant.operator, verdict.mutant.change, verdict.reason or "none")
        for verdict in judged
        if not verdict.is_killed
    )
    rows = sorted(
        (rule, operator, change, f"{count}", reason) for (rule, operator, change, reason), count in alive.items()
    )
    return Table(("rule", "operator", "change", "times", "reason"), tuple(map(_cells, rows)))


def _cells(row: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(cell.replace("|", "\\|") for cell in row)
