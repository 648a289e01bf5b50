"""Where facemon, its configuration and its log are on the machine that runs the check."""

import posixpath
from dataclasses import dataclass
from typing import Self

from facemon.config.document import Config
from facemon.errors import ConfigError

PAGE = "reports/drift.html"
"""What `drift-check --html` writes, below the store."""


@dataclass(frozen=True, slots=True)
class Place:
    """Absolute paths there, as text; the command may also be a name that the scheduler looks up."""

    command: str
    directory: str
    config_file: str
    store: str
    choice: tuple[str, ...] = ()
    """The options that name the only check there is, where schedule.checks has but one."""

    @classmethod
    def of(cls, config: Config, directory: str | None = None) -> Self:
        """The place that the configuration names, or the one with its folder at `directory`.

        A store that the configuration names relative to itself moves with it.
        """
        there = directory or config.schedule.directory or str(config.directory)
        store = config.store.path
        if store not in config.absolute_paths:
            store = there / store.relative_to(config.directory)
        return cls(
            command=config.schedule.command,
            directory=there,
            config_file=posixpath.join(there, config.file_name),
            store=posixpath.normpath(store),
            choice=("--check", config.schedule.checks[0]) if len(config.schedule.checks) == 1 else (),
        )

    def check(self, *options: str) -> tuple[str, ...]:
        """The words of a drift check."""
        return (self.command, "--config", self.config_file, "drift-check", *self.choice, *options)

    def refuse_control_characters(self, target: str) -> None:
        """ConfigError where a path cannot stand in a file of lines."""
        for path in (self.config_file, self.store):
            if any(ord(char) < 32 or ord(char) == 127 for char in path):
                raise ConfigError(
                    f"schedule.targets: {target} cannot name the path {path!r}, which has control characters",
                    hint="move what is there to another path",
                )
