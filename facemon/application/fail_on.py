"""`--fail-on`: which drift ends in exit 3."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from facemon.domain.deciding_checks import deciding_checks, deciding_columns
from facemon.domain.drift_result import Check, CheckResult, ColumnResult, DriftResult, Verdict
from facemon.domain.run_verdict import hold_half
from facemon.errors import ExitCode, UsageError
from facemon.near_names import did_you_mean


@dataclass(frozen=True, slots=True)
class FailOn:
    """When drift becomes exit 3."""

    rule: str = "any"
    attribute: str = ""
    share: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "FailOn":
        """Read `any`, `never`, `share=X` or `attribute=NAME`; UsageError for anything else."""
        rule, _, value = text.partition("=")
        if text in ("any", "never"):
            return cls(text)
        if rule == "attribute" and value:
            return cls(rule, attribute=value)
        if rule == "share":
            try:
                if 0 < (share := float(value)) <= 1:
                    return cls(rule, share=share)
            except ValueError:
                pass
        raise UsageError(f"--fail-on {text}: write any, never, share=0.5 or attribute=NAME")

    def is_met(self, result: DriftResult) -> bool:
        """Whether this drift, of the whole or of one source, is to end in exit 3."""
        if self.rule == "never":
            return False
        groups = [deciding_columns(checks) for checks in (result.checks, *(each.checks for each in result.sources))]
        return self.rule == "any" or any(self._is_met_by(columns) for columns in groups)

    def code_of(self, result: DriftResult) -> ExitCode:
        """The exit code that a result ends in: drift that is not meant hides nothing undecided that is."""
        match result.verdict:
            case Verdict.DRIFT if self.is_met(result):
                return ExitCode.FOUND
            case Verdict.DRIFT:
                return ExitCode.UNDECIDED if self._is_open(result) else ExitCode.OK
            case Verdict.OK:
                return ExitCode.OK
            case _:
                return ExitCode.UNDECIDED

    def _is_open(self, result: DriftResult) -> bool:
        """Whether the rule could be met if all were decided, or sources with half of the rows are undecided."""
        if self.rule == "never":
            return False
        sources = result.sources
        open_ones = [each for each in sources if each.verdict is Verdict.UNDECIDED or self._may_be_met_by(each.checks)]
        return self._may_be_met_by(result.checks) or hold_half(open_ones, sources)

    def _may_be_met_by(self, checks: Mapping[Check, CheckResult]) -> bool:
        deciding = list(deciding_checks(checks).values())
        if self.attribute:
            deciding = [each for each in deciding if any(self.attribute in _names(column) for column in each.columns)]
        if any(map(_compared_nothing, deciding)):
            return True
        columns = [column for outcome in deciding for column in outcome.columns]
        if self.attribute:
            columns = [column for column in columns if self.attribute in _names(column)]
        counts = Counter(column.verdict for column in columns)
        undecided, drifted = counts[Verdict.UNDECIDED], counts[Verdict.DRIFT]
        # One column of an attribute is enough.
        needed = self.share * (counts.total() - counts[Verdict.NOT_COMPARED])
        return undecided > 0 and undecided + drifted >= needed

    def _is_met_by(self, columns: Sequence[ColumnResult]) -> bool:
        drifted = [column for column in columns if column.verdict is Verdict.DRIFT]
        if self.rule == "attribute":
            return any(self.attribute in _names(column) for column in drifted)
        compared = [column for column in columns if column.verdict is not Verdict.NOT_COMPARED]
        return bool(drifted) and len(drifted) >= self.share * len(compared)

    def refuse_unknown(self, result: DriftResult) -> None:
        """UsageError when no column has the attribute's name: a misspelt one would never fail."""
        known = dict.fromkeys(name for column in deciding_columns(result.checks) for name in _names(column))
        if self.attribute and self.attribute not in known:
            raise self.unknown("nothing of that name was compared", known)

    def unknown(self, why: str, known: Iterable[str]) -> UsageError:
        """Return the error for an attribute that no check of the command can find drift of; `known` are the others."""
        names = list(known)
        hint = did_you_mean(self.attribute, names, f"choose one of: {', '.join(names)}" if names else "")
        return UsageError(f"--fail-on attribute={self.attribute}: {why}", hint)


def _compared_nothing(outcome: CheckResult) -> bool:
    return all(column.verdict is Verdict.NOT_COMPARED for column in outcome.columns)


def _names(column: ColumnResult) -> tuple[str, ...]:
    return tuple(name for name in (column.attribute, column.column) if name)
