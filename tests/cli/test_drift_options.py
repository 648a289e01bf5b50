import pytest

from facemon.application.drift_contradictions import refuse_contradictions, refuse_for_last_check
from facemon.application.drift_question import CheckChoice
from facemon.cli.print_format import Grouping
from facemon.errors import UsageError
from facemon.reports.drift_formats import ReportFormat

NOTHING = {
    "check": CheckChoice.ALL, "reference": None, "current": None, "since": None, "until": None, "source": None,
    "by": None, "model": None, "explain": None, "format_": ReportFormat.TEXT, "html": False, "history": False,
    "now": False, "record": None, "data_threshold": None, "model_threshold": None, "min_rows": None, "fail_on": "any",
    "exit_zero": False, "all_": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"reference": ""}, "--reference is empty"),
        ({"current": "a.csv", "since": "1h"}, "--current and --since exclude each other"),
        ({"current": "a.csv", "source": "a"}, "--current and --source exclude each other"),
        ({"by": Grouping.SOURCE, "source": "a"}, "--by and --source exclude each other"),
        ({"by": Grouping.SOURCE, "check": CheckChoice.EVIDENTLY}, "--by source needs the data or model check"),
        ({"explain": "a", "format_": ReportFormat.JUNIT}, "--explain has no --format junit"),
        ({"history": True, "html": True}, "--history and --html exclude each other"),
        ({"history": True, "explain": "a"}, "--history and --explain exclude each other"),
        ({"history": True, "record": True}, "--history and --record exclude each other"),
        ({"history": True, "check": CheckChoice.MODEL}, "--history and --check exclude each other"),
        ({"history": True, "data_threshold": 0.0}, "--history and --data-threshold exclude each other"),
        ({"history": True, "fail_on": "never"}, "--history and --fail-on exclude each other"),
        ({"history": True, "all_": True}, "--history and --all exclude each other"),
        ({"explain": "a", "by": Grouping.SOURCE}, "--explain and --by exclude each other"),
        ({"now": True}, "--now needs --explain"),
    ],
)
def test_options_that_exclude_each_other(given: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        refuse_contradictions(NOTHING | given)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"current": "a.csv", "by": Grouping.SOURCE},
        {"current": "a.csv", "model": "m@1"},
        {"since": "1h", "source": "a", "explain": "a", "format_": ReportFormat.JSON},
        {"history": True, "format_": ReportFormat.JSON},
        {"history": True, "record": False, "fail_on": "any"},
        {"explain": "a", "now": True, "record": True},
    ],
)
def test_options_that_go_together(given: dict[str, object]) -> None:
    refuse_contradictions(NOTHING | given)


@pytest.mark.parametrize("given", [{"record": True}, {"html": True}])
def test_what_the_last_check_of_record_cannot_do_any_more(given: dict[str, object]) -> None:
    refuse_contradictions(NOTHING | {"explain": "a"} | given)
    with pytest.raises(UsageError, match=f"--explain and --{next(iter(given))} exclude each other"):
        refuse_for_last_check(NOTHING | {"explain": "a"} | given)
    refuse_for_last_check(NOTHING | {"explain": "a", "record": False})
