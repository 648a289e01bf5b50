"""Configurations as text and JSON: the faults of a file, and the values in force with where each came from."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from facemon.config.loader import dotted, fault_line
from facemon.config.yaml_source import Fault
from facemon.domain.counted import counted
from facemon.reports.github_report import annotation
from facemon.reports.printed_parts import Part, Remark, Tone

_CHECK_SCHEMA = "facemon.config-check/1"


def check_document(file: Path, values: int, faults: Sequence[Fault], notes: Sequence[Fault] = ()) -> Mapping[str, Any]:
    """Return what `facemon config check --format json` prints; a fault of the whole file has an empty key."""
    return {
        "schema": _CHECK_SCHEMA,
        "file": str(file),
        "values": values,
        "faults": [_placed(fault) for fault in faults],
        "notes": [_placed(note) for note in notes],
    }


def _placed(fault: Fault) -> Mapping[str, Any]:
    return {
        "line": fault.place.line,
        "column": fault.place.column,
        "key": dotted(fault.keys),
        "message": fault.message,
        "hint": fault.hint or None,
    }


def check_report(file: Path, values: int, faults: Sequence[Fault], notes: Sequence[Fault] = ()) -> tuple[Part, ...]:
    """Return a line for each fault, `FILE:LINE:COLUMN: KEY: what is wrong; hint`, or one that says there is none.

    Keys that may be typos are remarks, which leave the file right.
    """
    if not faults:
        remarks = (Remark(f"note: {fault_line(str(file), note)}", Tone.NOTICE) for note in notes)
        return (Remark(f"{file} is right: {counted(values, 'value')}, all others are defaults"), *remarks)
    lines = "\n".join(fault_line(str(file), fault) for fault in faults)
    return (lines, Remark(f"{counted(len(faults), 'fault')} in {file}"))


def check_annotations(file: Path, faults: Sequence[Fault], notes: Sequence[Fault] = ()) -> str:
    """Return an error for each fault and a warning for each key that may be a typo.

    GitHub shows them beside their lines.
    """
    return "\n".join(
        annotation(
            level,
            dotted(fault.keys) or file.name,
            f"{fault.message}; {fault.hint}" if fault.hint else fault.message,
            {"file": str(file), "line": str(fault.place.line), "col": str(fault.place.column)},
        )
        for level, found in (("error", faults), ("warning", notes))
        for fault in found
    )
