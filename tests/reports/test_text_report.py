from dataclasses import replace

from facemon.domain.drift_result import Check, CheckResult, SourceResult, Verdict
from facemon.reports.text_report import text_report
from tests.reports.results import BY_SOURCE, DATA, EVIDENTLY, GENDER, MODEL, NASTY_RESULT, RESULT, SHAPES

HEADINGS = ("check", "column", "verdict", "shift", "limit", "p", "rows", "why")


def test_drift_comes_first_and_labels_in_points() -> None:
    report = text_report(RESULT)
    assert report.columns.headings == HEADINGS
    assert report.columns.rows == (
        ("model", "gender", "drift", "12.1 pts", "5.0 pts", "2e-09", "10,000 / 812", ""),
        ("model", "age", "undecided", "", "", "", "0 / 120", "120 rows, fewer than min_rows 200"),
        ("data", "image_size", "ok", "0.020", "0.100", "0.500", "10,000 / 812", ""),
        ("data", "filename", "not compared", "", "", "", "0 / 0", "it names single rows (an identifier)"),
    )
    assert report.summary == (
        "Drift. Current: 812 rows from 2026-11-22 02:00 to 2026-11-23 02:00 UTC, reference day one: 10,000 rows.",
        "data: ok (1 ok, 1 not compared)",
        "model: drift (1 drifted, 1 undecided)",
    )
    assert report.notes == ("Mind this.",)
    assert (report.source_summary, report.source_columns.rows) == ((), ())


def test_shapes_are_one_column_more() -> None:
    plain, drawn = text_report(RESULT).columns, text_report(RESULT, SHAPES).columns
    assert drawn.headings == (*HEADINGS, "reference ▏current")
    assert [row[:-1] for row in drawn.rows] == list(plain.rows)
    assert [row[-1] for row in drawn.rows] == ["▆▆ ▏▄█", "", "▁█ ▏▁▁", ""]


def test_each_source_is_one_sentence_and_only_what_it_has_to_tell() -> None:
    report = text_report(BY_SOURCE)
    assert report.source_summary == (
        "source (no source): ok (400 rows, 5,000 in the reference)",
        "source cam 1: drift of gender (412 rows, 5,000 in the reference)",
    )
    assert report.source_columns.headings == ("source", *HEADINGS)
    assert [row[:4] for row in report.source_columns.rows] == [
        ("cam 1", "model", "gender", "drift"),
        ("cam 1", "model", "age", "undecided"),
    ]


def test_a_name_neither_breaks_a_line_nor_steers_the_terminal() -> None:
    report = text_report(NASTY_RESULT)
    cells = [cell for row in (*report.columns.rows, *report.source_columns.rows) for cell in row]
    assert all(text.isprintable() for text in (*report.summary, *report.source_summary, *cells))
    assert report.columns.rows[0][1] == 'a|b <x> & "q" ::error::50%, [31m'


def test_an_only_source_has_a_sentence_and_no_second_table() -> None:
    columns = {Check.DATA: DATA, Check.MODEL: MODEL}
    only = SourceResult("gate", Verdict.DRIFT, 10_000, 812, columns)
    for sources in ((only,), (only.with_drifted_columns(),)):
        report = text_report(replace(RESULT, sources=sources))
        assert report.source_summary == ("source gate: drift of gender (812 rows, 10,000 in the reference)",)
        assert report.source_columns.rows == ()
        assert [row[1] for row in report.columns.rows] == ["gender", "age", "image_size", "filename"]
    own = replace(MODEL, columns=(replace(GENDER, score=0.3),))
    differs = replace(only, checks={Check.MODEL: own})
    assert len(text_report(replace(RESULT, sources=(differs,))).source_columns.rows) == 1
    assert len(text_report(replace(RESULT, sources=(only, differs))).source_columns.rows) == 3


def test_a_check_that_compared_no_column_is_not_counted_below_the_table() -> None:
    nothing = CheckResult(Verdict.UNDECIDED, 0.5, ())
    for evidently, others in ((EVIDENTLY, ", 1 column of evidently"), (nothing, "")):
        shown = text_report(replace(RESULT, checks={**RESULT.checks, Check.EVIDENTLY: evidently})).columns.for_terminal
        assert shown is not None
        assert shown.below == (f"1 ok, 1 not compared{others}; --all shows them",)
