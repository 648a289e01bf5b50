"""All that came of a look, as lines for people, as JSON and as Markdown."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from facemon.doctor.finding import Examined, Finding, Severity
from facemon.domain.counted import counted
from facemon.errors import ExitCode
from facemon.printable import printable, without_commands

if TYPE_CHECKING:
    from facemon.reports.printed_parts import Part

_SCHEMA = "facemon.doctor/1"
_WIDTH = 79
_PROGRAMS = ("facemon ", "docker ", "curl ", "chmod ", "pip ", "promtool ", "amtool ")
_SPECIAL = re.compile(r"([\\`*_\[\]<>|&~#$])")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What came of each area, by its name, in the order of the areas."""

    areas: tuple[tuple[str, Examined], ...]

    @property
    def findings(self) -> tuple[tuple[str, Finding], ...]:
        """All findings with the names of their areas: errors first, then in the order of the areas."""
        found = [(name, finding) for name, examined in self.areas for finding in examined.findings]
        return tuple(sorted(found, key=lambda each: each[1].severity is not Severity.ERROR))

    @property
    def code(self) -> ExitCode:
        """3 with findings, else 0."""
        return ExitCode.FOUND if self.findings else ExitCode.OK

    def document(self) -> dict[str, Any]:
        """The object of `facemon.doctor/1`."""
        return {
            "schema": _SCHEMA,
            "findings": [{"area": name} | finding.document() for name, finding in self.findings],
            "areas": [
                {
                    "area": name,
                    "ok": bool(examined.looked_at) and not examined.findings,
                    "looked_at": examined.looked_at,
                    "not_looked_at": list(examined.not_looked_at),
                    "facts": list(examined.facts),
                }
                for name, examined in self.areas
            ],
        }

    def report(self, *, shows_facts: bool = False) -> "Iterator[Part]":
        """Findings first; then a line for each area, with `shows_facts` its facts too, and what was not looked at."""
        for name, finding in self.findings:
            yield _wrapped(f"{finding.severity}: {name}: {finding.what}", "  ")
            if finding.evidence:
                yield _wrapped(f"  seen: {finding.evidence}", "    ")
            if finding.command:
                yield _mended(finding.command)
        if self.findings:
            yield ""
        for name, examined in self.areas:
            if examined.looked_at:
                yield _wrapped(f"{_state(examined)}: {name}: {examined.looked_at}", "  ")
            for fact in examined.facts if shows_facts else ():
                yield _wrapped(f"  {fact}", "    ")
        for _, examined in self.areas:
            for what in examined.not_looked_at:
                yield _wrapped(f"not looked at: {what}", "  ")

    def markdown(self) -> str:
        """The same for a ticket, with all facts."""
        lines = ["# facemon doctor", "", f"{counted(len(self.findings), 'finding')}", ""]
        for name, finding in self.findings:
            lines.append(f"- **{finding.severity}: {_escaped(name)}: {_escaped(finding.what)}**")
            lines += [f"  - seen: {_escaped(finding.evidence)}"] if finding.evidence else []
            lines += [f"  - fix: {_code(finding.command)}"] if finding.command else []
        for name, examined in self.areas:
            lines += ["", f"## {_escaped(name)}", ""]
            lines += [f"{_state(examined)}: {_escaped(examined.looked_at)}", ""] if examined.looked_at else []
            lines += [f"- not looked at: {_escaped(what)}" for what in examined.not_looked_at]
            lines += [f"- {_escaped(fact)}" for fact in examined.facts]
        return "\n".join(lines) + "\n"


def _state(examined: Examined) -> str:
    return counted(len(examined.findings), "finding") if examined.findings else "ok"


def _mended(command: str) -> str:
    """The remedy: a command on one line, to be copied, or a hint in words."""
    if command.startswith(_PROGRAMS):
        return without_commands(printable(f"  fix: {command}"))
    return _wrapped(f"  fix: {command}", "    ")


def _wrapped(text: str, indent: str) -> str:
    """Text of at most 79 columns where its words are shorter: names, paths and addresses stay whole."""
    return without_commands(
        textwrap.fill(printable(text), _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    )


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(printable(text).split()))


def _code(command: str) -> str:
    return f"`` {' '.join(printable(command).split())} ``"
