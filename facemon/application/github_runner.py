"""What a GitHub runner reads of a drift check: the files that it names in variables, to which a step appends."""

import os
from pathlib import Path

from facemon.domain.drift_result import DriftResult
from facemon.errors import ExitCode, FacemonError

_STEP_SUMMARY, _STEP_OUTPUTS = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"
"""The variables by which a GitHub runner names the files that a step may append to."""


def append_for_runner(result: DriftResult, decided: ExitCode) -> None:
    """Append to the files that the runner named; outside a runner, nothing."""
    from facemon.reports.github_report import step_outputs
    from facemon.reports.markdown_report import markdown_report

    for variable, text in (
        (_STEP_SUMMARY, f"## Drift check\n\n{markdown_report(result)}\n"),
        (_STEP_OUTPUTS, step_outputs(result, decided)),
    ):
        if path := os.environ.get(variable):
            try:
                with Path(path).open("a", encoding="utf-8") as file:
                    file.write(text)
            except OSError as error:
                raise FacemonError(
                    f"{path} cannot be written: {error.strerror}", f"it is the file that {variable} names"
                ) from error
