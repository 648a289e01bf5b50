"""The formats of `facemon drift-check`: a format is one file beside this one, and its registration here.

The files are loaded when their format is asked for, because `facemon --help` loads this one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from facemon.reports.printed_parts import Document, FileText, Part

if TYPE_CHECKING:
    from facemon.domain.drift_result import DriftResult
    from facemon.domain.explanation import Explanation
    from facemon.reports.text_report import Shapes
    from facemon.store.named_reference import RemovedReference


class ReportFormat(StrEnum):
    """How the result is printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    JUNIT = "junit"
    MARKDOWN = "markdown"


@dataclass(frozen=True, slots=True)
class DriftFormat:
    """What is printed in a format, and what else it is for."""

    parts: Callable[["DriftResult", "Shapes | None"], Iterable[Part]]
    """The result as parts; with distributions, those that the format draws."""
    draws: bool = False
    """Whether it draws distributions where they reach a person."""
    explained: Callable[["Sequence[Explanation]", bool], Iterable[Part]] | None = None
    """Columns of a check, with `--explain`; whether distributions may be drawn. None where it lacks the format."""
    history: Callable[["Sequence[DriftResult]", "Sequence[RemovedReference]"], Iterable[Part]] | None = None
    """The last checks, with `--history`, and the references that were removed."""
    is_for_runner: bool = False
    """Whether the files that a GitHub runner names get the summary and the outputs of the step."""


def _text(result: "DriftResult", shapes: "Shapes | None") -> Iterable[Part]:
    from facemon.reports.text_report import text_report

    return text_report(result, shapes).parts()


def _text_explained(explanations: "Sequence[Explanation]", draws: bool) -> Iterable[Part]:
    from facemon.reports.explanation_report import explanation_report

    for explanation in explanations:
        yield from explanation_report(explanation, draws=draws).parts()


def _text_history(results: "Sequence[DriftResult]", removed: "Sequence[RemovedReference]") -> Iterable[Part]:
    from facemon.reports.history_report import history_table

    return [history_table(results, removed)]


def _json(result: "DriftResult", _: "Shapes | None") -> Iterable[Part]:
    from facemon.domain.drift_result import to_document

    return [Document(to_document(result))]


def _json_explained(explanations: "Sequence[Explanation]", _: bool) -> Iterable[Part]:
    from facemon.domain.explanation import explanation_document

    return [Document(explanation_document(explanation)) for explanation in explanations]


def _json_history(results: "Sequence[DriftResult]", _: "Sequence[RemovedReference]") -> Iterable[Part]:
    return [part for result in results for part in _json(result, None)]


def _github(result: "DriftResult", _: "Shapes | None") -> Iterable[Part]:
    from facemon.reports.github_report import annotations

    return [FileText(annotations(result))]


def _junit(result: "DriftResult", _: "Shapes | None") -> Iterable[Part]:
    from facemon.reports.junit_report import junit_report

    return [FileText(junit_report(result))]


def _markdown(result: "DriftResult", _: "Shapes | None") -> Iterable[Part]:
    from facemon.reports.markdown_report import markdown_report

    return [markdown_report(result).rstrip("\n")]


DRIFT_FORMATS: Mapping[ReportFormat, DriftFormat] = {
    ReportFormat.TEXT: DriftFormat(_text, draws=True, explained=_text_explained, history=_text_history),
    ReportFormat.JSON: DriftFormat(_json, explained=_json_explained, history=_json_history),
    ReportFormat.GITHUB: DriftFormat(_github, is_for_runner=True),
    ReportFormat.JUNIT: DriftFormat(_junit),
    ReportFormat.MARKDOWN: DriftFormat(_markdown),
}
EACH = tuple(name for name, format_ in DRIFT_FORMATS.items() if format_.history is not None)
"""The formats of `--explain` and `--history`."""
