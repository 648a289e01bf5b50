"""Whether a configuration file is right: the file alone is read, and nothing that it names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facemon.errors import ExitCode

if TYPE_CHECKING:
    from facemon.config.yaml_source import Fault
    from facemon.reports.printed_parts import Part


@dataclass(frozen=True, slots=True)
class CheckedConfiguration:
    """What is wrong with a file, and what may be."""

    file: Path
    values: int
    """How many keys the file gives a value."""
    faults: "Sequence[Fault]"
    """In the order of their places."""
    notes: "Sequence[Fault]" = ()
    """Keys that may be typos, in the order of their places."""

    @property
    def code(self) -> ExitCode:
        """How the command ends."""
        return ExitCode.USAGE if self.faults else ExitCode.OK

    def document(self) -> Mapping[str, Any]:
        """Return the answer as JSON, `facemon.config-check/1`."""
        from facemon.reports.configuration_report import check_document

        return check_document(self.file, self.values, self.faults, self.notes)

    def report(self) -> "Sequence[Part]":
        """Return a line for each fault, or one that says that there is none."""
        from facemon.reports.configuration_report import check_report

        return check_report(self.file, self.values, self.faults, self.notes)

    def annotations(self) -> str:
        """Return faults and notes as annotations of a GitHub workflow; empty where there is none."""
        from facemon.reports.configuration_report import check_annotations

        return check_annotations(self.file, self.faults, self.notes)


def check_configuration(file: Path | None) -> CheckedConfiguration:
    """Check a file, without one `facemon.yaml` of this folder; ConfigError where it is missing or cannot be read."""
    from facemon.config.loader import DEFAULT_FILE, check_file

    file = file or Path(DEFAULT_FILE)
    values, faults = check_file(file)
    return CheckedConfiguration(file, values, faults, () if faults else _notes(file))


def _notes(file: Path) -> "Sequence[Fault]":
    from facemon.config.loader import load_config, placed_faults
    from facemon.drift.unknown_columns import unknown_columns

    found = [(each.keys, each.message, each.hint) for each in unknown_columns(load_config(file))]
    return placed_faults(file, found) if found else ()
