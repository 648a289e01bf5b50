"""Remedies as they are to be typed: for the configuration and the folder of the stack that this look was about."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

from facemon.doctor.finding import Examined

_RENDER = re.compile(r"facemon(?: -c \S+)? render-config\b")
_RENDERED_FILE = re.compile(r"(?<= )(?:monitoring/\S+|docker-compose\.full\.yml)")
_OWN = "facemon "
_RELOAD = "facemon render-config --reload"


@dataclass(frozen=True, slots=True)
class Place:
    """What options of the look a copied command has to repeat."""

    config: Path | None = None
    """The file of `--config`; None for the usual one."""
    out: Path = Path()
    """The folder of the stack."""
    edited: frozenset[str] = frozenset()
    """The parts of the stack of which a file was edited by hand: render-config keeps it, and then reloads nothing."""
    only: tuple[str, ...] = ()
    """The parts of the stack that were rendered, where others were left out."""
    told: frozenset[str] = frozenset(("prometheus", "alertmanager"))
    """The servers that --reload reaches, by `stack.reload` or as containers."""

    def complete(self, examined: Examined) -> Examined:
        """Return the area with commands that do not need this folder's usual files; words stay as they are."""
        findings = tuple(replace(each, command=self.whole(each.command, each.part)) for each in examined.findings)
        return replace(examined, findings=findings)

    def whole(self, command: str, part: str = "") -> str:
        """Return a command that does here what it is to do: with `-c FILE`, the stack's folder, and over edits."""
        if command == _RELOAD:
            command = self._reload(part)
        if self.only and _RENDER.match(command) and " --only " not in command:
            command = _RENDER.sub(lambda found: f"{found[0]} --only {','.join(self.only)}", command)
        if self.out != Path():
            if command.startswith(("docker compose -f ", "promtool ", "amtool check-config ")):
                command = _RENDERED_FILE.sub(lambda found: quote(str(self.out / found[0])), command)
            command = _RENDER.sub(lambda found: f"{found[0]} --out {quote(str(self.out))}", command)
        if self.config is not None and command.startswith(_OWN):
            # Without it the command would take facemon.yaml of this folder, or the defaults, and another store.
            return f"facemon -c {quote(str(self.config))} {command.removeprefix(_OWN)}"
        return command

    def _reload(self, part: str) -> str:
        render = "facemon render-config"
        if part and (self.edited or self.only):
            render += f" --only {part}{' --force' if part in self.edited else ''}"
        if part in self.told or (not part and self.told):
            return f"{render} --reload"
        server = part.capitalize() or "each server"
        return f"{render}  # then let {server} read its files, by SIGHUP; stack.reload lets --reload do that"
