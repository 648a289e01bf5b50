"""What `serve` and `serve-metrics` share: the address, and the signal that reads the configuration again."""

import signal
from typing import TYPE_CHECKING

from facemon.cli.session import Session
from facemon.errors import UsageError

if TYPE_CHECKING:
    from facemon.application.reloaded_configuration import ReloadedConfiguration
    from facemon.config.quantities import Listen


def parsed_listen(given: str | None) -> "Listen | None":
    """The address of `--listen`; None where the configuration's is taken."""
    from facemon.config.quantities import parse_listen

    try:
        return parse_listen(given) if given else None
    except ValueError as error:
        raise UsageError(f"--listen: {error}") from error


def reloaded_at_hangup(session: Session) -> "ReloadedConfiguration":
    """The configuration, which from here on SIGHUP asks to read again; by itself the signal would end the process."""
    from facemon.application.reloaded_configuration import ReloadedConfiguration

    configuration = ReloadedConfiguration(session.console, session.config_path)
    signal.signal(signal.SIGHUP, configuration.ask_for_reload)
    return configuration
