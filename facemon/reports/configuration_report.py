"""Configurations as text and JSON: the faults of a file, and the values in force with where each came from."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facemon.config.loader import dotted, fault_line
from facemon.config.yaml_source import Fault
from facemon.domain.counted import counted
from facemon.reports.github_report import annotation
from facemon.reports.printed_parts import Part, Remark

_CHECK_SCHEMA = "facemon.config-check/1"


def check_document(file: Path, values: int, faults: Sequence[Fault]) -> Mapping[str, Any]:
    """Return what `facemon config check --format json` prints; a fault of the whole file has an empty key."""
    return {
        "schema": _CHECK_SCHEMA,
        "file": str(file),
        "values": values,
        "faults": [
            {
                "line": fault.place.line,
                "column": fault.place.column,
                "key": dotted(fault.keys),
                "message": fault.message,
                "hint": fault.hint or None,
            }
            for fault in faults
        ],
    }


def check_report(file: Path, values: int, faults: Sequence[Fault]) -> tuple[Part, ...]:
    """Return a line for each fault, `FILE:LINE:COLUMN: KEY: what is wrong; hint`, or one that says there is none."""
    if not faults:
        return (Remark(f"{file} is right: {counted(values, 'value')}, all others are defaults"),)
    lines = "\n".join(fault_line(str(file), fault) for fault in faults)
    return (lines, Remark(f"{counted(len(faults), 'fault')} in {file}"))


def check_annotations(file: Path, faults: Sequence[Fault]) -> str:
    """Return an error for each fault, which GitHub shows beside its line."""
    return "\n".join(
        annotation(
            "error",
            dotted(fault.keys) or file.name,
            f"{fault.message}; {fault.hint}" if fault.hint else fault.message,
            {"file": str(file), "line": str(fault.place.line), "col": str(fault.place.column)},
        )
        for fault in faults
    )
