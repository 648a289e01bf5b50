"""Which columns a check must be able to compare: an unknown column must not pass as ok."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from facemon.domain.drift_result import Check, ColumnResult, DriftResult, Side, Verdict

_SET_ANEW = "set a new reference with facemon reference set --since 24h"


@dataclass(frozen=True, slots=True)
class ExpectedColumns:
    """What is expected beside what both sides hold."""

    of_log: bool = False
    """The current rows come from the log, which holds every configured attribute. Tables have what they have."""
    before: Mapping[Check, frozenset[str]] = field(default_factory=dict)
    """Columns that an earlier check of record compared."""
    needs_attributes: bool = True
    """An attribute that one side lacks is undecided; without this, it is only listed."""

    def of(self, check: Check) -> frozenset[str]:
        """Those of one check."""
        return self.before.get(check, frozenset())

    def lacking(self, column: str) -> str:
        """Why a column is undecided that the reference lacks, and what to do."""
        way_out = _SET_ANEW if self.of_log else "compare with one that has it"
        return f"the reference has no column {column}: {way_out}"

    def overdue(self, reason: str) -> str:
        """Why a column is undecided that cannot be compared any more, and what to do."""
        way_out = _SET_ANEW if self.of_log else "compare with a reference of another name"
        return f"{reason}, and the last check of record compared it; {way_out}"


NOTHING_EXPECTED = ExpectedColumns()


def compared_before(
    history: Iterable[DriftResult],
    *,
    model: str,
    reference: str | None,
    current: Side,
    checks: Collection[Check] = (Check.DATA, Check.MODEL),
) -> dict[Check, frozenset[str]]:
    """The columns of the last check of record of the same kind of rows, for `checks` at least.

    `history` begins with the newest result, and is read until all of these were found. A column that was undecided
    stays expected, or the night after would let it pass; with a new reference only what was really compared is: the
    person who sets it has seen the reason.
    """
    found: dict[Check, frozenset[str]] = {}
    for result in history:
        if result.model != model or result.source is not None or not _is_alike(result.current, current):
            continue
        keeps_undecided = result.reference.name == reference
        for check in (Check.DATA, Check.MODEL):
            if check in result.checks and check not in found:
                columns = result.checks[check].columns
                found[check] = frozenset(each.column for each in columns if _is_expected(each, keeps_undecided))
        if found.keys() >= set(checks):
            break
    return found


def _is_alike(first: Side, second: Side) -> bool:
    """The log is always the log; a table is compared with that of its name."""
    if first.since is not None and second.since is not None:
        return True
    return (first.name, first.since) == (second.name, second.since)


def _is_expected(column: ColumnResult, keeps_undecided: bool) -> bool:
    return column.score is not None or (keeps_undecided and column.verdict is Verdict.UNDECIDED)
