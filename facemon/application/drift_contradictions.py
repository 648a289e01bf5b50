"""Which options of `facemon drift-check` exclude each other, and which name what no check compares."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from facemon.application.drift_question import CheckChoice, DriftRequest
from facemon.errors import UsageError
from facemon.reports.drift_formats import EACH

if TYPE_CHECKING:
    from facemon.config.document import Config

_OF_A_CHECK = (
    "reference", "current", "since", "until", "source", "by", "model", "explain", "html", "record", "check",
    "data_threshold", "model_threshold", "min_rows", "fail_on", "exit_zero", "all_",
)  # fmt: skip
_DEFAULTS = {"check": CheckChoice.ALL, "fail_on": "any"}
_CONTRADICTIONS = (
    ("history", _OF_A_CHECK, "--history lists earlier checks; the other option applies to a new check"),
    ("current", ("since", "until", "source"), "it selects rows of the log, which --current replaces"),
    ("by", ("source",), "one source needs no verdict for each"),
    ("explain", ("by",), "an explanation is of a column of all sources; --source SOURCE explains it for one"),
)
_OF_A_NEW_CHECK = ("record", "html")


def refuse_for_last_check(given: Mapping[str, Any]) -> None:
    """UsageError for options that belong to a new check, where `--explain` is about the last one of record."""
    if other := next((name for name in _OF_A_NEW_CHECK if given[name]), None):
        raise UsageError(
            f"--explain and --{other} exclude each other: --explain shows the last check of record",
            "add --now for a new one",
        )


def refuse_contradictions(given: Mapping[str, Any]) -> None:
    """UsageError for options that exclude each other; `given` maps the command's parameters to their values."""
    if given["reference"] == "":
        raise UsageError("--reference is empty", "name a reference or a file, or leave the option out")
    for first, others, why in _CONTRADICTIONS:
        if given[first] and (other := next((name for name in others if _is_given(name, given[name])), None)):
            option = other.rstrip("_").replace("_", "-")
            raise UsageError(f"--{first} and --{option} exclude each other: {why}", "leave out one of them")
    if given["now"] and given["explain"] is None:
        raise UsageError("--now needs --explain", "add --explain COLUMN")
    if given["by"] and given["check"] is CheckChoice.EVIDENTLY:
        raise UsageError(
            "--by source needs the data or model check, which --check evidently leaves out", "leave out one of them"
        )
    if given["explain"] and given["format_"] not in EACH:
        raise UsageError(f"--explain has no --format {given['format_'].value}", f"write {' or '.join(EACH)}")


def _is_given(name: str, value: Any) -> bool:
    """Whether an option changes anything: a threshold of 0 does, and a default that was written does not."""
    return value is not None and value is not False and value not in ("", _DEFAULTS.get(name))


def refuse_unknown_attribute(config: "Config", request: DriftRequest) -> None:
    """UsageError for `--fail-on attribute=NAME` where no check that is asked for can compare that column.

    Only the columns of tables, and of Evidently, are not known before they are read.
    """
    from facemon.domain.prediction import IMAGE_COLUMNS
    from facemon.drift.compared_columns import names_of_attributes

    rule, choice = request.fail_on, request.choice
    if not rule.attribute or choice is CheckChoice.EVIDENTLY:
        return
    predicted = names_of_attributes(config.model.attributes)
    of_model = predicted if choice is not CheckChoice.DATA else ()
    of_data = (*IMAGE_COLUMNS, *config.drift.columns) if choice is not CheckChoice.MODEL else ()
    known = dict.fromkeys((*of_model, *(name for name in of_data if name not in predicted)))
    if rule.attribute in known:
        return
    if choice is CheckChoice.DATA and rule.attribute in predicted:
        raise UsageError(
            f"--fail-on attribute={rule.attribute}: the data check does not compare it", "leave out --check data"
        )
    if choice is CheckChoice.MODEL and rule.attribute in (*IMAGE_COLUMNS, *config.drift.columns):
        raise UsageError(
            f"--fail-on attribute={rule.attribute}: the model check does not compare it", "leave out --check model"
        )
    if request.current is None or choice is CheckChoice.MODEL:
        raise rule.unknown("no check compares a column of that name", known)
