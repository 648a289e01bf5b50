"""The exporter: the store's metrics, served until a signal ends it."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from facemon.application.operation import Operation
from facemon.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from facemon.application.reloaded_configuration import ReloadedConfiguration
    from facemon.application.shown_status import ShownStatus
    from facemon.config.document import Config
    from facemon.config.quantities import Listen
    from facemon.metrics.exporter import Exporter

_SIGNAL_SECONDS = 0.2


def serve_metrics(operation: Operation, listen: "Listen | None", configuration: "ReloadedConfiguration") -> None:
    """Answer scrapes until a signal ends this; `listen` is None for `exporter.listen`.

    FacemonError where the server cannot go on.
    """
    from facemon.application.shown_status import ShownStatus
    from facemon.metrics.exporter import Exporter
    from facemon.pandas_gate import let_pandas_in
    from facemon.server.foreign_pages import AllowedHosts, hosts_of_exporter
    from facemon.server.http_server import serving
    from facemon.server.listening_socket import open_socket
    from facemon.server.metrics_server import metrics_server

    let_pandas_in()  # collectors may want it
    config, reporter = operation.config, operation.reporter
    address = listen or config.exporter.listen
    exporter = Exporter(reporter.warn, reporter.say)
    status = ShownStatus(exporter, config)
    follow = _following(operation, exporter, status, None if listen else address)
    try:
        with open_socket(address) as listening:
            exporter.follow(config, configuration.path)
            if reason := exporter.why_not_ready():
                reporter.warn(f"{reason}; facemon_source_up is 0 until it can be read")
            # Each scrape gets the registry of the newest configuration.
            hosts = AllowedHosts(hosts_of_exporter(config, address))
            registry, ready = (lambda: exporter.registry), exporter.why_not_ready
            server = metrics_server(registry, ready, hosts, reporter.warn, status.page)
            port = listening.getsockname()[1]
            with serving(server, listening) as check_server:
                if not address.is_loopback:
                    reporter.warn(f"{address} can be reached from other machines, without authentication")
                reporter.say(f"serving metrics on http://{address.host}:{port}/metrics")
                _reload_when_asked(configuration, follow, check_server)
    except Interrupted:
        reporter.say("stopped")
    finally:
        exporter.stop()


def _reload_when_asked(
    configuration: "ReloadedConfiguration",
    follow: "Callable[[Config, Path | None], None]",
    check_server: "Callable[[], None]",
) -> NoReturn:
    """Go on until a signal ends it, or `check_server` raises."""
    while True:
        configuration.reload_if_asked(follow)
        check_server()
        # Not forever: the system may hand a signal to another thread, and ours has to wake up to act on it.
        time.sleep(_SIGNAL_SECONDS)


def _following(
    operation: Operation, exporter: "Exporter", status: "ShownStatus", address: "Listen | None"
) -> "Callable[[Config, Path | None], None]":
    """What makes the exporter follow a new configuration; `address` is the one that the first configuration gave."""

    def follow(config: "Config", path: Path | None) -> None:
        exporter.follow(config, path)
        status.follow(config)
        if address not in (None, config.exporter.listen):
            operation.reporter.warn(
                f"exporter.listen: an address changes with a restart only; still listening on {address}"
            )

    return follow
