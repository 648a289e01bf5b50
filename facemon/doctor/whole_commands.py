"""Remedies as they are to be typed: for the configuration and the folder of the stack that this look was about."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

from facemon.doctor.finding import Examined

_RENDER = re.compile(r"facemon(?: -c \S+)? render-config\b")
_RENDERED_FILE = re.compile(r"(?<= )(?:monitoring/\S+|docker-compose\.full\.yml)")
_OWN = "facemon "


@dataclass(frozen=True, slots=True)
class Place:
    """What options of the look a copied command has to repeat."""

    config: Path | None = None
    """The file of `--config`; None for the usual one."""
    out: Path = Path()
    """The folder of the stack."""

    def complete(self, examined: Examined) -> Examined:
        """Return the area with commands that do not need this folder's usual files; words stay as they are."""
        findings = tuple(replace(each, command=self.whole(each.command)) for each in examined.findings)
        return replace(examined, findings=findings)

    def whole(self, command: str) -> str:
        """Return a command with `-c FILE` and the folder of the stack, where they are not the usual ones."""
        if self.out != Path():
            if command.startswith(("docker compose -f ", "promtool ", "amtool check-config ")):
                command = _RENDERED_FILE.sub(lambda found: quote(str(self.out / found[0])), command)
            command = _RENDER.sub(lambda found: f"{found[0]} --out {quote(str(self.out))}", command)
        if self.config is not None and command.startswith(_OWN):
            # Without it the command would take facemon.yaml of this folder, or the defaults, and another store.
            return f"facemon -c {quote(str(self.config))} {command.removeprefix(_OWN)}"
        return command
