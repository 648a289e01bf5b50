"""The explanation of a column for people: both distributions, what moved, the test, what would decide."""

from collections.abc import Iterator
from dataclasses import dataclass

from facemon.domain.explanation import Explanation, RowsToDecide
from facemon.printable import without_commands
from facemon.reports.column_figures import column_sentence, one_line
from facemon.reports.printed_parts import Part, Prose, Table
from facemon.reports.sparkline import sparkline

_HEADINGS = ("", "reference", "current", "change")


@dataclass(frozen=True, slots=True)
class ExplanationReport:
    """A headline, a table of both distributions below `_HEADINGS`, and sentences after it."""

    headline: str
    rows: tuple[tuple[str, ...], ...]
    sentences: tuple[str, ...]

    def parts(self) -> Iterator[Part]:
        """Yield what is printed, in which no name is a command for a workflow's runner."""
        yield Prose(without_commands(self.headline))
        for sentence in self.sentences:
            yield Prose(f"  {without_commands(sentence)}")
        if self.rows:
            yield Table(_HEADINGS, self.rows).without_commands()
        yield ""


def explanation_report(explanation: Explanation, *, draws: bool = False) -> ExplanationReport:
    """The report; with `draws` both distributions are also drawn as bars."""
    column, shape = explanation.column, explanation.shape
    headline = f"{one_line(column.column)} ({explanation.check.value} check): {column.verdict.value.replace('_', ' ')}"
    kind = "check of record" if explanation.recorded else "look"
    sentences = [f"{kind} of {explanation.at:%Y-%m-%d %H:%M:%S} UTC", column_sentence(explanation.check, column)]
    if column.test and column.p_value is not None:
        sentences.append(f"test: {column.test}, p {column.p_value:.3g} before the correction")
    if column.detectable is not None:
        detected = f"a shift of {column.detectable:.3g} would be detected with 80 % power"
        sentences.append(f"{detected}, for one column looked at alone")
    if explanation.lacking is not None:
        sentences += _lacking(explanation.lacking)
    if shape is None:
        return ExplanationReport(headline, (), tuple(sentences))
    if draws:
        sentences.insert(1, f"reference {sparkline(shape.reference)}  current {sparkline(shape.current)}")
    rows = tuple(
        (one_line(name), f"{first:.1%}", f"{second:.1%}", f"{100 * (second - first):+z.1f} pts")
        for name, first, second in zip(shape.groups, shape.reference, shape.current, strict=True)
    )
    return ExplanationReport(headline, rows, tuple(sentences))


def _lacking(lacking: RowsToDecide) -> list[str]:
    if lacking.rows is None:
        said = [f"more current rows would not decide: {lacking.reason}"]
        return [*said, f"what would help: {lacking.remedy}"] if lacking.remedy else said
    # More than two digits would claim to know the future.
    digits = max(0, len(str(lacking.rows)) - 2)
    said = [f"about {-(-lacking.rows // 10**digits) * 10**digits:,} more current rows like these would decide"]
    return [*said, lacking.remedy] if lacking.remedy else said
