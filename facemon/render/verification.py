"""Lets the real tools judge a rendered stack, and says which of them were not there to ask."""

import fnmatch
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from facemon.config.document import Config
from facemon.render.stack import Part, RenderedStack, part_of

_RULES = "monitoring/prometheus/alert_rules.yml"
_RECORDED = "monitoring/prometheus/recording_rules.yml"
_PROMETHEUS = "monitoring/prometheus/prometheus.yml"
_TESTS = "monitoring/prometheus/tests/*.yml"
_ALERTMANAGER = "monitoring/alertmanager/alertmanager.yml"
_ROUTES = "monitoring/alertmanager/tests/routes.sh"
_UNJUDGED = {
    Part.GRAFANA: ("dashboards", "only Grafana itself reads them; the lint has looked at every query"),
    Part.COMPOSE: ("compose files", "ask docker compose config; the lint has looked at them"),
    Part.SCHEDULES: ("schedules", "each scheduler reads its own; no secret is in them"),
}
"""What no tool that is asked here understands, by part."""
_TIMEOUT_S = 600
_SELDOM_COLLECTED = {"GOGC": "400"}
"""Go collects garbage for a fifth of the time that promtool needs for the tests of a stack."""


class Outcome(StrEnum):
    """What a tool said."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_VERIFIED = "not verified"


@dataclass(frozen=True, slots=True)
class _Check:
    """A question to a tool about files: by itself with these words, or by a script that names it in a variable."""

    what: str
    tool: str
    arguments: tuple[str, ...]
    patterns: tuple[str, ...]
    variable: str = ""

    def paths(self, stack: RenderedStack) -> list[str]:
        """The files; none unless every pattern has one."""
        found = [fnmatch.filter(stack.files, pattern) for pattern in self.patterns]
        return [path for paths in found for path in paths] if all(found) else []


_CHECKS = (
    _Check("promtool check config", "promtool", ("check", "config"), (_PROMETHEUS,)),
    _Check("promtool check rules", "promtool", ("check", "rules"), (_RULES, _RECORDED)),
    _Check("promtool test rules", "promtool", ("test", "rules"), (_TESTS,)),
    _Check("amtool check-config", "amtool", ("check-config",), (_ALERTMANAGER,)),
    _Check("routes.sh with amtool", "amtool", (), (_ROUTES,), variable="AMTOOL"),
)


@dataclass(frozen=True, slots=True)
class Verification:
    """One question to one tool, and its answer."""

    what: str
    outcome: Outcome
    detail: str = ""


def verify(stack: RenderedStack, tools: Path | None = None) -> tuple[Verification, ...]:
    """Ask promtool and amtool, from the folder `tools` or else PATH, about a copy of the rendered files."""
    with tempfile.TemporaryDirectory(prefix="facemon-verify-") as folder:
        root = Path(folder)
        for path, text in stack.files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        return tuple(_ask(check, stack, root, tools) for check in _CHECKS)


def look_over(stack: RenderedStack, config: Config) -> Verification:
    """Let the lint judge; its findings are the detail, a line for each."""
    from facemon.render.lint import lint

    findings = lint(stack, config)
    outcome = Outcome.REFUSED if findings else Outcome.ACCEPTED
    return Verification("lint", outcome, "\n".join(str(finding) for finding in findings))


def unjudged(stack: RenderedStack) -> tuple[Verification, ...]:
    """The rendered parts that none of the tools understands."""
    rendered = {part_of(path) for path in stack.files}
    return tuple(
        Verification(what, Outcome.NOT_VERIFIED, why) for part, (what, why) in _UNJUDGED.items() if part in rendered
    )


def _ask(check: _Check, stack: RenderedStack, root: Path, tools: Path | None) -> Verification:
    paths = check.paths(stack)
    if not paths:
        return Verification(check.what, Outcome.NOT_VERIFIED, "its files were not rendered")
    program = shutil.which(check.tool, path=None if tools is None else str(tools))
    if program is None:
        where = "on PATH" if tools is None else f"in {tools}"
        return Verification(check.what, Outcome.NOT_VERIFIED, f"{check.tool} is not {where}")
    # Absolute, since it is run from the copy's folder.
    program = str(Path(program).absolute())
    environment = {**_SELDOM_COLLECTED, **os.environ, **({check.variable: program} if check.variable else {})}
    try:
        answer = subprocess.run(
            ["sh" if check.variable else program, *check.arguments, *paths],
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Verification(check.what, Outcome.NOT_VERIFIED, str(error))
    if answer.returncode == 0:
        return Verification(check.what, Outcome.ACCEPTED)
    return Verification(check.what, Outcome.REFUSED, (answer.stdout + answer.stderr).strip())
