"""A drift result as JUnit XML, which CI servers show as tests: one suite for a check, one case for a column."""

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from facemon.domain.deciding_checks import deciding_checks
from facemon.domain.drift_result import Check, CheckResult, ColumnResult, DriftResult, Verdict
from facemon.domain.times import format_time
from facemon.reports.column_figures import column_sentence
from facemon.reports.text_report import check_sentence, headline, source_name

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped (section 2.2)."""
_CLASS = "facemon.drift"
_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}
_KINDS = {Verdict.DRIFT: "failure", Verdict.UNDECIDED: "error"}


def junit_report(result: DriftResult) -> str:
    """Drift is a failure, undecided an error, not compared is skipped; in ASCII, so that any encoding holds it.

    A check that does not decide the verdict has no failures: what it found is skipped, with what it says.
    Undecided sources that are not listed have no suite, so a verdict that no case shows has a suite of its own.
    """
    suites = _suites(result.checks, "")
    for each in result.sources:
        suites += _suites(each.checks, source_name(each))
    suites += _verdict_suite(result, suites)
    root = ET.Element("testsuites", {"name": "facemon drift-check"} | _totals(suites))
    for suite in suites:
        suite.set("timestamp", format_time(result.at))
    root.extend(suites)
    ET.indent(root)
    return ET.tostring(root, encoding="us-ascii", xml_declaration=True).decode("ascii")


def _suites(checks: Mapping[Check, CheckResult], source: str) -> list[ET.Element]:
    deciding, suites = deciding_checks(checks), []
    for check, outcome in checks.items():
        class_name = f"{_CLASS}.{check.value}{source and f'.{source}'}"
        decides = check in deciding and outcome.verdict is not Verdict.OK
        cases = [_column_case(class_name, check, column, decides=decides) for column in outcome.columns]
        if decides and not any(case.find("failure") is not None or case.find("error") is not None for case in cases):
            # Without it the suite would look like a good one.
            cases.append(_case(class_name, "verdict", outcome.verdict, check_sentence(check.value, outcome)))
        suites.append(_suite(f"{check.value}{source and f' of source {source}'}", cases))
    return suites


def _verdict_suite(result: DriftResult, suites: list[ET.Element]) -> list[ET.Element]:
    """The verdict as a suite, where it is drift or undecided and the suites of the checks look better."""
    kind = _KINDS.get(result.verdict)
    if kind is None or _count(suites, kind):
        return []
    case = _case(_CLASS, "verdict", result.verdict, headline(result))
    case[0].text = _plain("\n".join(result.notes))
    return [_suite("verdict", [case])]


def _suite(name: str, cases: list[ET.Element]) -> ET.Element:
    suite = ET.Element("testsuite", {"name": _plain(name), "tests": str(len(cases)), "time": "0"})
    suite.extend(cases)
    for attribute, kind in _COUNTED.items():
        suite.set(attribute, str(_count([suite], kind)))
    return suite


def _column_case(class_name: str, check: Check, column: ColumnResult, *, decides: bool) -> ET.Element:
    sentence, verdict = column_sentence(check, column), column.verdict
    if verdict in (Verdict.DRIFT, Verdict.UNDECIDED) and not decides:
        sentence, verdict = f"{verdict.value}, which decides nothing here: {sentence}", Verdict.NOT_COMPARED
    return _case(class_name, column.column, verdict, sentence)


def _case(class_name: str, name: str, verdict: Verdict, sentence: str) -> ET.Element:
    case = ET.Element("testcase", {"classname": _plain(class_name), "name": _plain(name), "time": "0"})
    message = _plain(sentence)
    match verdict:
        case Verdict.DRIFT:
            ET.SubElement(case, "failure", {"message": message, "type": verdict.value})
        case Verdict.UNDECIDED:
            ET.SubElement(case, "error", {"message": message, "type": verdict.value})
        case Verdict.NOT_COMPARED:
            ET.SubElement(case, "skipped", {"message": message})
        case Verdict.OK:
            ET.SubElement(case, "system-out").text = message
    return case


def _count(suites: list[ET.Element], kind: str) -> int:
    return sum(len(suite.findall(f"testcase/{kind}")) for suite in suites)


def _totals(suites: list[ET.Element]) -> dict[str, str]:
    return {name: str(sum(int(suite.get(name, "0")) for suite in suites)) for name in ("tests", *_COUNTED)}


def _plain(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
