"""A drift result for a step of a GitHub workflow: annotations for its log, and the outputs of the step.

Source: GitHub Actions, "Workflow commands for GitHub Actions" (annotations, GITHUB_OUTPUT).
"""

from collections.abc import Mapping

from facemon.domain.deciding_checks import deciding_checks
from facemon.domain.drift_result import Check, CheckResult, ColumnResult, DriftResult, Verdict
from facemon.errors import ExitCode
from facemon.printable import printable_lines
from facemon.reports.column_figures import column_sentence, one_line
from facemon.reports.ranking import telling
from facemon.reports.text_report import headline, source_name, source_sentence

_LEVELS = {Verdict.DRIFT: "error", Verdict.UNDECIDED: "warning"}


def annotations(result: DriftResult) -> str:
    """A notice of the verdict, then an error per drifted and a warning per undecided column and source.

    GitHub shows the first ten of each level; the summary of the step has them all.
    """
    lines = [annotation("notice", "drift-check", headline(result))]
    for check, column in _deciding(result.checks):
        title = f"{column.verdict.value} of {column.column} ({check.value} check)"
        lines.append(annotation(_LEVELS[column.verdict], title, column_sentence(check, column)))
    lines += [
        annotation(_LEVELS[each.verdict], f"{each.verdict.value} of source {source_name(each)}", source_sentence(each))
        for each in result.sources
        if each.verdict in _LEVELS
    ]
    return "\n".join(lines)


def step_outputs(result: DriftResult, decided: ExitCode) -> str:
    """Lines for the file of the step's outputs.

    `verdict`; `drifted`, the columns that drifted over all or in a source, and `drifted_sources`, both joined by
    commas; `exit_code`, the one without `--exit-zero`.
    """
    checks = [result.checks, *(each.checks for each in result.sources)]
    columns = [column for each in checks for _, column in _deciding(each) if column.verdict is Verdict.DRIFT]
    outputs = {
        "verdict": result.verdict.value,
        "drifted": ",".join(dict.fromkeys(one_line(column.column) for column in columns)),
        "drifted_sources": ",".join(source_name(each) for each in result.sources if each.verdict is Verdict.DRIFT),
        "exit_code": str(decided.value),
    }
    return "".join(f"{name}={text}\n" for name, text in outputs.items())


def _deciding(checks: Mapping[Check, CheckResult]) -> list[tuple[Check, ColumnResult]]:
    """The telling columns of those checks that the verdict follows, and that are not ok as a whole."""
    deciding = deciding_checks(checks)
    return telling({check: outcome for check, outcome in deciding.items() if outcome.verdict is not Verdict.OK})


def annotation(level: str, title: str, message: str, place: Mapping[str, str] | None = None) -> str:
    """Return one annotation, at a place: its `file`, `line` and `col`."""
    properties = {**(place or {}), "title": title}
    given = ",".join(f"{name}={_of_property(text)}" for name, text in properties.items())
    return f"::{level} {given}::{_escaped(message)}"


def _of_property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _escaped(text: str) -> str:
    return printable_lines(text).replace("%", "%25").replace("\n", "%0A")
