"""What every command is given: the console, and the configuration when it is first asked for."""

import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from facemon.terminal.console import Console

if TYPE_CHECKING:
    from facemon.application.operation import Operation
    from facemon.config.document import Config


@dataclass
class Session:
    """One run of the command line; the configuration is read when first asked for."""

    console: Console = field(default_factory=Console)
    config_path: Path | None = None
    as_root: bool = False
    """Whether root may write to a store of another user."""
    began: float = field(default_factory=time.monotonic)

    @cached_property
    def config(self) -> "Config":
        """The configuration of `--config`, of `facemon.yaml` here, or the defaults."""
        from facemon.config.loader import load_config

        return load_config(self.config_path)

    @cached_property
    def operation(self) -> "Operation":
        """What a use case is given: it reports to the console."""
        from facemon.application.operation import Operation

        return Operation(self.config, self.console, as_root=self.as_root, began=self.began)
