"""What a store holds as a table, what a verification found of it, and what is wrong with its clock."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from facemon.domain.counted import counted
from facemon.reports.printed_parts import Part, Remark, Table, Tone

if TYPE_CHECKING:
    from facemon.domain.clock_judgement import SeenTime
    from facemon.store.verification import Verification

REPAIR = "facemon store repair mends what loses nothing, and tells what it would drop"
_RECOVER = "facemon store recover BACKUP goes back to a backup and keeps what is newer"


def store_table(facts: Mapping[str, Any]) -> Table:
    """Return the facts of `facemon store info --json`, a row for each; unknown values are "-"."""
    shown = {**facts, "models": ", ".join(f"{name} ({rows} rows)" for name, rows in facts["models"].items())}
    rows = ((name.replace("_", " "), "-" if value in (None, "") else str(value)) for name, value in shown.items())
    return Table(("what", "value"), tuple(rows))


def verification_report(found: "Verification") -> Iterator[Part]:
    """Yield the problems and what to do about them; or that there are none."""
    yield from found.problems
    looked_at = f"{found.rows} rows in {found.segments} segments"
    if problems := len(found.problems):
        yield Remark(f"{counted(problems, 'problem')} in {looked_at}", Tone.WARN)
        yield Remark(f"  hint: {_RECOVER if found.is_ledger_damaged else REPAIR}", Tone.NOTICE)
    else:
        yield f"ok: {looked_at}; every row once, files unchanged, totals and profiles equal the rows"


def clock_report(doubt: str | None, ahead: "Sequence[SeenTime]", hint: str) -> Iterator[Part]:
    """Yield what bears a time that has not come yet, why the clock is doubted, and the hint; or that it is right."""
    for each in ahead:
        yield f"{each.what}: {each.at:%Y-%m-%d %H:%M} UTC is in the future"
    if doubt:
        yield doubt
    if doubt or ahead:
        yield Remark(f"  hint: {hint}", Tone.NOTICE)
    else:
        yield "ok: the clock is right, as far as this machine and this store know"
