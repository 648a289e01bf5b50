"""`--fail-on`: which drift ends in exit 3."""

from dataclasses import dataclass

from facemon.errors import UsageError
from facemon.reports.deciding_checks import deciding_columns
from facemon.values.drift_result import ColumnResult, DriftResult, Verdict


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
        """Whether this drift is to end in exit 3."""
        columns = deciding_columns(result.checks)
        drifted = [column for column in columns if column.verdict is Verdict.DRIFT]
        match self.rule:
            case "never":
                return False
            case "attribute":
                return any(self.attribute in _names(column) for column in drifted)
            case "share":
                compared = [column for column in columns if column.verdict is not Verdict.NOT_COMPARED]
                return len(drifted) >= self.share * len(compared)
        return True

    def refuse_unknown(self, result: DriftResult) -> None:
        """UsageError when no column has the attribute's name: a misspelt one would never fail."""
        known = dict.fromkeys(name for column in deciding_columns(result.checks) for name in _names(column))
        if self.attribute and self.attribute not in known:
            raise UsageError(
                f"--fail-on attribute={self.attribute}: nothing of that name was compared",
                f"there are: {', '.join(known)}",
            )


def _names(column: ColumnResult) -> tuple[str, ...]:
    return tuple(name for name in (column.attribute, column.column) if name)
