"""Lets the real tools judge a rendered stack, and says which of them were not there to ask."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from facemon.render.stack import RenderedStack

_RULES = "monitoring/prometheus/alert_rules.yml"
_RECORDED = "monitoring/prometheus/recording_rules.yml"
_PROMETHEUS = "monitoring/prometheus/prometheus.yml"
_TESTS = "monitoring/prometheus/tests/alert_rules_test.yml"
_ALERTMANAGER = "monitoring/alertmanager/alertmanager.yml"
_CHECKS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("promtool", ("check", "config"), (_PROMETHEUS,)),
    ("promtool", ("check", "rules"), (_RULES, _RECORDED)),
    ("promtool", ("test", "rules"), (_TESTS,)),
    ("amtool", ("check-config",), (_ALERTMANAGER,)),
)
_TIMEOUT_S = 600


class Outcome(StrEnum):
    """What a tool said."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_VERIFIED = "not verified"


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
        return tuple(_ask(*check, stack=stack, root=root, tools=tools) for check in _CHECKS)


def _ask(
    tool: str, verb: Sequence[str], paths: Sequence[str], *, stack: RenderedStack, root: Path, tools: Path | None
) -> Verification:
    what = " ".join((tool, *verb))
    if not all(path in stack.files for path in paths):
        return Verification(what, Outcome.NOT_VERIFIED, "its files were not rendered")
    program = shutil.which(tool, path=None if tools is None else str(tools))
    if program is None:
        where = "on PATH" if tools is None else f"in {tools}"
        return Verification(what, Outcome.NOT_VERIFIED, f"{tool} is not {where}")
    try:
        answer = subprocess.run(
            [program, *verb, *paths],
            cwd=root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Verification(what, Outcome.NOT_VERIFIED, str(error))
    if answer.returncode == 0:
        return Verification(what, Outcome.ACCEPTED)
    return Verification(what, Outcome.REFUSED, (answer.stdout + answer.stderr).strip())
