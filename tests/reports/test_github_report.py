from dataclasses import replace

import pytest

from facemon.domain.drift_result import Check, DriftResult, Verdict
from facemon.errors import ExitCode
from facemon.reports.github_report import annotations, step_outputs
from tests.reports.results import BY_SOURCE, DATA, EVIDENTLY, NASTY_RESULT, NOTHING_DECIDED, RESULT


def test_an_error_for_drift_and_a_warning_for_doubt() -> None:
    notice, error, warning = annotations(RESULT).splitlines()
    assert notice.startswith("::notice title=drift-check::Drift. Current: 812 rows from")
    assert error == (
        "::error title=drift of gender (model check)::"
        "shift 12.1 pts, limit 5.0 pts, adjusted p 2e-09, 10,000 / 812 rows"
    )
    assert warning == (
        "::warning title=undecided of age (model check)::0 / 120 rows: 120 rows, fewer than min_rows 200"
    )


def test_a_source_is_one_annotation() -> None:
    *_, last = annotations(BY_SOURCE).splitlines()
    said = "source cam 1: drift of gender (412 rows, 5,000 in the reference)"
    assert last == f"::error title=drift of source cam 1::{said}"


@pytest.mark.parametrize(
    "result",
    [
        replace(RESULT, verdict=Verdict.OK, checks={Check.DATA: DATA, Check.EVIDENTLY: EVIDENTLY}),
        NOTHING_DECIDED,
    ],
)
def test_what_decides_nothing_is_no_annotation(result: DriftResult) -> None:
    assert [line.split(" ")[0] for line in annotations(result).splitlines()] == ["::notice"]


def test_names_cannot_write_commands_or_properties() -> None:
    notice, error, source = annotations(NASTY_RESULT).splitlines()
    assert error.startswith('::error title=drift of a|b <x> & "q"%0A%3A%3Aerror%3A%3A50%25%2C')
    for line in (notice, error, source):
        _, properties, *_ = line.split("::")
        assert "," not in properties
        assert ":" not in properties


def test_outputs() -> None:
    assert step_outputs(BY_SOURCE, ExitCode.FOUND) == (
        "verdict=drift\ndrifted=gender\ndrifted_sources=cam 1\nexit_code=3\n"
    )
    assert step_outputs(NOTHING_DECIDED, ExitCode.UNDECIDED) == (
        "verdict=undecided\ndrifted=\ndrifted_sources=\nexit_code=4\n"
    )


def test_a_name_is_no_output_of_its_own() -> None:
    text = step_outputs(NASTY_RESULT, ExitCode.FOUND)
    assert [line.split("=")[0] for line in text.splitlines()] == ["verdict", "drifted", "drifted_sources", "exit_code"]
