"""What came of a look at one area: findings with their evidence and remedy, what was looked at, and what was not."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from facemon.errors import FacemonError


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    """Data do not arrive, or no notification is sent."""
    WARNING = "warning"
    """All runs, but not as it was meant, or not for long."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong."""

    what: str
    evidence: str = ""
    """What was seen, which a person can check."""
    command: str = ""
    """The one command that mends it, or what to do where no command does."""
    severity: Severity = Severity.ERROR
    part: str = "prometheus"
    """The part of the stack that the command renders, where it is `facemon render-config --reload`; empty for all."""

    def document(self) -> dict[str, Any]:
        """The finding, ready for JSON."""
        return {
            "what": self.what,
            "evidence": self.evidence,
            "command": self.command,
            "severity": self.severity.value,
        }


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of a look at one area."""

    looked_at: str = ""
    """What was seen, as one line; empty where nothing was."""
    findings: tuple[Finding, ...] = ()
    not_looked_at: tuple[str, ...] = ()
    """What could not be seen, each with how it would be."""
    facts: tuple[str, ...] = ()
    """What else was seen: lines for `--format json` and `markdown`."""


def finding_of(error: FacemonError, severity: Severity = Severity.ERROR) -> Finding:
    """The finding of an error that a look ran into."""
    return Finding(error.message, "", error.hint or "", severity)
