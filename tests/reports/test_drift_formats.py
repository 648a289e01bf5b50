"""Each format of drift-check is registered, prints the result, and says what else it is for."""

import json
from xml.etree import ElementTree as ET

import pytest

from facemon.reports.drift_formats import DRIFT_FORMATS, EACH, ReportFormat
from facemon.reports.printed_parts import Document, FileText
from facemon.terminal.console import Console
from tests.reports.results import BY_SOURCE, SHAPES


def test_every_format_is_registered() -> None:
    assert set(DRIFT_FORMATS) == set(ReportFormat)


def test_explanations_and_history_have_the_formats_for_people_and_for_programs() -> None:
    assert EACH == ("text", "json")


@pytest.mark.parametrize("name", list(ReportFormat))
def test_each_format_tells_of_the_columns_of_a_result(name: ReportFormat, capsys: pytest.CaptureFixture[str]) -> None:
    Console().show(DRIFT_FORMATS[name].parts(BY_SOURCE, SHAPES))
    out, err = capsys.readouterr()
    assert "gender" in out
    assert err == ""


def test_files_are_printed_as_they_are_and_documents_as_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    text = "<a>\n\t::error::x</a>"
    Console().show([FileText(text), Document({"a": ["b", 1]})])
    *file, document = capsys.readouterr().out.splitlines()
    assert file == text.splitlines()
    assert json.loads(document) == {"a": ["b", 1]}


def test_the_format_for_test_reports_is_xml(capsys: pytest.CaptureFixture[str]) -> None:
    Console().show(DRIFT_FORMATS[ReportFormat.JUNIT].parts(BY_SOURCE, None))
    assert ET.fromstring(capsys.readouterr().out.strip()).tag == "testsuites"  # noqa: S314 - our own text
