from dataclasses import replace
from xml.etree import ElementTree as ET

from facemon.domain.drift_result import Check, CheckResult, DriftResult, SourceResult, Verdict
from facemon.reports.junit_report import junit_report
from tests.reports.results import BY_SOURCE, DATA, EVIDENTLY, GENDER, NAME, NASTY_RESULT, NOTHING_DECIDED, RESULT

NOTHING_DECIDED_IN_ONE = replace(
    RESULT, sources=(SourceResult("cam 2", Verdict.UNDECIDED, 0, 5, NOTHING_DECIDED.checks),)
)


def root_of(result: DriftResult) -> ET.Element:
    return ET.fromstring(junit_report(result))  # noqa: S314 - our own text


def suites(result: DriftResult) -> dict[str | None, ET.Element]:
    return {suite.get("name"): suite for suite in root_of(result)}


def outcomes(suite: ET.Element) -> dict[str | None, list[tuple[str, str | None]]]:
    return {case.get("name"): [(part.tag, part.get("message")) for part in case] for case in suite}


def test_each_verdict_has_its_outcome() -> None:
    found = suites(RESULT)
    assert list(found) == ["data", "model"]
    assert outcomes(found["model"]) == {
        "age": [("error", "0 / 120 rows: 120 rows, fewer than min_rows 200")],
        "gender": [("failure", "shift 12.1 pts, limit 5.0 pts, adjusted p 2e-09, 10,000 / 812 rows")],
    }
    assert outcomes(found["data"]) == {
        "image_size": [("system-out", None)],
        "filename": [("skipped", "0 / 0 rows: it names single rows (an identifier)")],
    }
    counts = {name: found["model"].get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "2", "failures": "1", "errors": "1", "skipped": "0"}
    root = root_of(RESULT)
    assert (root.get("tests"), root.get("failures"), root.get("errors"), root.get("skipped")) == ("4", "1", "1", "1")


def test_a_suite_per_source() -> None:
    found = suites(BY_SOURCE)
    assert list(found) == [
        "data",
        "model",
        "data of source (no source)",
        "data of source cam 1",
        "model of source cam 1",
    ]
    assert {case.get("classname") for case in found["model of source cam 1"]} == {"facemon.drift.model.cam 1"}


def test_evidently_fails_only_where_it_decides() -> None:
    alone = replace(RESULT, checks={Check.EVIDENTLY: EVIDENTLY})
    assert outcomes(suites(alone)["evidently"])["gender"][0][0] == "failure"
    beside = replace(RESULT, checks={**RESULT.checks, Check.EVIDENTLY: EVIDENTLY})
    assert outcomes(suites(beside)["evidently"])["gender"] == [
        ("skipped", "drift, which decides nothing here: jensenshannon 0.300, limit 0.100, 0 / 0 rows")
    ]


def test_a_suite_never_looks_better_than_its_verdict() -> None:
    for result, name in ((NOTHING_DECIDED, "data"), (NOTHING_DECIDED_IN_ONE, "data of source cam 2")):
        assert outcomes(suites(result)[name])["verdict"] == [("error", "data: undecided (1 not compared)")]
        assert suites(result)[name].get("errors") == "1"
    assert "verdict" not in outcomes(suites(RESULT)["data"])


def test_a_verdict_that_no_case_shows_has_a_suite() -> None:
    of_sources = ("Sources: 1 ok, 2 undecided; --by source prints each.",)
    undecided = replace(RESULT, verdict=Verdict.UNDECIDED, checks={Check.DATA: DATA}, notes=of_sources)
    (case,) = suites(undecided)["verdict"]
    assert (case[0].tag, case[0].text) == ("error", of_sources[0])
    assert str(case[0].get("message")).startswith("Undecided: ")
    assert (root_of(undecided).get("tests"), root_of(undecided).get("errors")) == ("3", "1")
    assert "verdict" not in suites(replace(undecided, verdict=Verdict.OK))
    assert "verdict" not in suites(RESULT)


def test_any_name_and_reason_is_xml() -> None:
    text = junit_report(NASTY_RESULT)
    assert text.isascii()
    name = suites(NASTY_RESULT)["model"][0].get("name")
    assert name is not None
    assert name.startswith('a|b <x> & "q"\n::error::50%,\ufffd[')
    control = CheckResult(Verdict.OK, 0.1, (replace(NAME, column="\x00é\ud800", reason="\x0b"), GENDER))
    assert suites(replace(RESULT, checks={Check.DATA: control}))["data"][0].get("name") == "\ufffdé\ufffd"
