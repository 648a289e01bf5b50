import re
from dataclasses import replace

from facemon.domain.drift_result import Side
from facemon.reports.markdown_report import markdown_report
from tests.reports.results import BY_SOURCE, NASTY_RESULT, RESULT


def test_sentences_then_the_table_then_notes() -> None:
    first, checks, table, note = markdown_report(RESULT).rstrip("\n").split("\n\n")
    assert first.startswith("**Drift. Current: 812 rows")
    assert checks.splitlines()[1] == "- model: drift (1 drifted, 1 undecided)"
    headings, rule, drifted, undecided, *_ = table.splitlines()
    assert headings == "| check | column | verdict | shift | limit | p | rows | why |"
    assert rule == "| --- | --- | --- | --- | --- | --- | --- | --- |"
    assert drifted == "| model | gender | **drift** | 12.1 pts | 5.0 pts | 2e-09 | 10,000 / 812 |  |"
    assert undecided == r"| model | age | undecided |  |  |  | 0 / 120 | 120 rows, fewer than min\_rows 200 |"
    assert note == "Mind this."


def test_sources_are_a_table_of_their_own() -> None:
    text = markdown_report(BY_SOURCE)
    assert "- source cam 1: drift of gender (412 rows, 5,000 in the reference)\n" in text
    assert "| cam 1 | model | gender | **drift** |" in text


def test_a_name_stays_in_its_cell() -> None:
    lines = markdown_report(NASTY_RESULT).splitlines()
    row = next(line for line in lines if line.startswith("| model"))
    assert len(re.split(r"(?<!\\)\|", row)) == 10
    assert r"a\|b \<x\> \& " in row
    assert not any(line.startswith("::") for line in lines)


def test_a_backslash_does_not_undo_the_escape() -> None:
    assert "reference a\\\\\\|b: " in markdown_report(replace(RESULT, reference=Side(1, "a\\|b")))
