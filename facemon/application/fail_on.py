"""`--fail-on`: which drift ends in exit 3."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from facemon.domain.deciding_checks import deciding_columns
from facemon.domain.drift_result import ColumnResult, DriftResult, Verdict
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
        """The exit code that a result ends in."""
        match result.verdict:
            case Verdict.DRIFT:
                return ExitCode.FOUND if self.is_met(result) else ExitCode.OK
            case Verdict.OK:
                return ExitCode.OK
            case _:
                return ExitCode.UNDECIDED

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


def _names(column: ColumnResult) -> tuple[str, ...]:
    return tuple(name for name in (column.attribute, column.column) if name)
