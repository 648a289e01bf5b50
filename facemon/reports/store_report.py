"""What a store holds as a table, what a verification found of it, and what is wrong with its clock."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from facemon.domain.counted import counted
from facemon.domain.times import parse_time, span_name
from facemon.reports.printed_parts import Part, Remark, Table, Tone
from facemon.store.ledger_errors import RECOVER

if TYPE_CHECKING:
    from facemon.domain.clock_judgement import SeenTime
    from facemon.store.verification import Verification

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
REPAIR = "facemon store repair fixes problems without losing rows, and lists the segments that it would drop"


def store_table(facts: Mapping[str, Any], now: datetime) -> Table:
    """Return the facts of `facemon store info --json`, a row for each; unknown values are "-"."""
    shown = {**facts, "models": ", ".join(f"{name} ({counted(rows, 'row')})" for name, rows in facts["models"].items())}
    shown = {name.replace("_", " "): value for name, value in shown.items()}
    node, collected = shown.pop("delivers"), shown.pop("collected")
    if node is not None:
        shown["delivers"] = _delivers(node, now)
    shown |= {f"collected from {each['node']}": _collected(each, now) for each in collected}
    rows = ((name, "-" if value in (None, "") else str(value)) for name, value in shown.items())
    return Table(("what", "value"), tuple(rows))


def _delivers(node: Mapping[str, Any], now: datetime) -> str:
    until = "not all of it yet" if node["until"] is None else f"all observed before {_with_age(node['until'], now)}"
    deliveries = counted(node["deliveries"], "delivery", "deliveries")
    return f"as {node['node']} to {node['location']}, {until}; {deliveries} in epoch {node['epoch']}"


def _collected(node: Mapping[str, Any], now: datetime) -> str:
    last = f"the last one of {_with_age(node['last_delivered_at'], now)}"
    missing = f", {counted(node['missing'], 'number')} missing" if node["missing"] else ""
    epochs = f" in {node['epochs']} epochs" if node["epochs"] > 1 else ""
    deliveries = counted(node["deliveries"], "delivery", "deliveries")
    return f"{deliveries}{epochs}{missing}, {last}; rows up to {_with_age(node['last_observed_at'], now)}"


def _with_age(time: str, now: datetime) -> str:
    at = parse_time(time)
    age = max(timedelta(0), now - at)
    # No more exact than the eye needs: 3h, not 187m.
    unit = next((unit for unit in (_DAY, _HOUR) if age >= 2 * unit), timedelta(minutes=1))
    return f"{at:%Y-%m-%d %H:%M} UTC ({span_name(age // unit * unit)} ago)"


def verification_report(found: "Verification") -> Iterator[Part]:
    """Yield the problems and what to do about them; or that there are none."""
    yield from found.problems
    looked_at = f"{counted(found.rows, 'row')} in {counted(found.segments, 'segment')}"
    if found.is_ledger_damaged:
        yield Remark("no row was verified, because the ledger cannot be read whole", Tone.WARN)
    elif problems := len(found.problems):
        yield Remark(f"{counted(problems, 'problem')} in {looked_at}", Tone.WARN)
    yield from verification_hints(found, repair=REPAIR)
    if not found.problems:
        yield f"ok: {looked_at}; every row once, files unchanged, totals and profiles equal the rows"


def verification_hints(found: "Verification", *, repair: str) -> Iterator[Remark]:
    """Yield what to do about each kind of problem; `repair` says it for those of the log."""
    if found.is_ledger_damaged:
        yield Remark(f"  hint: {RECOVER}", Tone.NOTICE)
        return
    if found.needs_repair:
        yield Remark(f"  hint: {repair}", Tone.NOTICE)
    if found.damaged_references:
        yield Remark(f"  hint: {renewal(found.damaged_references)}", Tone.NOTICE)


def renewal(references: Sequence[str]) -> str:
    """Return the command that removes references without their files, and how to set them again."""
    names = " ".join(map(shlex.quote, references))
    return (
        f"facemon reference rm {names} --force  # then facemon reference set; "
        "or, without rm, put the file back from a backup"
    )


def clock_report(doubt: str | None, ahead: "Sequence[SeenTime]", hint: str) -> Iterator[Part]:
    """Yield what bears a time that has not come yet, why the clock is doubted, and the hint; or that it is right."""
    for each in ahead:
        yield f"{each.what}: {each.at:%Y-%m-%d %H:%M} UTC is in the future"
    if doubt:
        yield doubt
    if doubt or ahead:
        yield Remark(f"  hint: {hint}", Tone.NOTICE)
    else:
        yield "ok: neither this machine nor this store shows that the clock is wrong"
