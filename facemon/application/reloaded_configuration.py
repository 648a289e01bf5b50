"""The configuration of a server, read again at SIGHUP; one with faults changes nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.application.operation import Reporter
from facemon.errors import FacemonError, Interrupted

if TYPE_CHECKING:
    from facemon.config.document import Config

    Follow = Callable[[Config, Path | None], None]
    """Takes a new configuration and the file that it is from; FacemonError where it cannot be followed."""


@dataclass
class ReloadedConfiguration:
    """Reads the configuration again when it was asked for."""

    reporter: Reporter
    given: Path | None = None
    """The file that was named; None for the `facemon.yaml` here."""
    path: Path | None = field(init=False)
    _is_asked: bool = False

    def __post_init__(self) -> None:
        self.path = self._found()

    def ask_for_reload(self, *_: object) -> None:
        """Remember that the configuration is to be read again; a handler of signals."""
        self._is_asked = True

    def reload_if_asked(self, follow: "Follow") -> None:
        """Read the configuration again if that was asked for since the last call, and say what came of it."""
        if self._is_asked:
            self._is_asked = False
            self._reload(follow)

    def _found(self) -> Path | None:
        """The file there is; one that was there and has gone is missed, not replaced by defaults."""
        from facemon.config.loader import DEFAULT_FILE

        default = Path(DEFAULT_FILE)
        return self.given or (default if default.exists() else None)

    def _reload(self, follow: "Follow") -> None:
        from facemon.config.loader import load_config

        path = self.path or self._found()
        try:
            follow(load_config(path), path)
        except Interrupted:
            raise
        except FacemonError as error:
            for line in error.message.splitlines():
                self.reporter.warn(line)
            self.reporter.warn("the configuration was not reloaded; the previous one stays in use")
            return
        self.path = path
        self.reporter.say("reloaded the configuration")
