"""The formats of `facemon drift-check`: a format is one file beside this one, and its registration here.

The files are loaded when their format is asked for, because `facemon --help` loads this one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from facemon.reports.printed_parts import Document, FileText, Part

if TYPE_CHECKING:
    from facemon.domain.drift_result import DriftResult
    from facemon.reports.text_report import Shapes


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
    is_for_each: bool = False
    """Whether `--explain` and `--history` have it too."""
    is_for_runner: bool = False
    """Whether the files that a GitHub runner names get the summary and the outputs of the step."""


def _text(result: "DriftResult", shapes: "Shapes | None") -> Iterable[Part]:
    from facemon.reports.text_report import text_report

    return text_report(result, shapes).parts()


def _json(result: "DriftResult", _: "Shapes | None") -> Iterable[Part]:
    from facemon.domain.drift_result import to_document

    return [Document(to_document(result))]


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
    ReportFormat.TEXT: DriftFormat(_text, draws=True, is_for_each=True),
    ReportFormat.JSON: DriftFormat(_json, is_for_each=True),
    ReportFormat.GITHUB: DriftFormat(_github, is_for_runner=True),
    ReportFormat.JUNIT: DriftFormat(_junit),
    ReportFormat.MARKDOWN: DriftFormat(_markdown),
}
EACH = tuple(name for name, format_ in DRIFT_FORMATS.items() if format_.is_for_each)
"""The formats of `--explain` and `--history`."""
