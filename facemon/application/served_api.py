"""The ML API, served until a signal ends it: what is refused before, and under which address and name it runs."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from facemon.application.operation import Operation
from facemon.domain.formats.registry import plugin_formats
from facemon.errors import FacemonError, UsageError
from facemon.finders.registry import finder_of, finders_for_bare_images
from facemon.near_names import either

if TYPE_CHECKING:
    from facemon.application.reloaded_configuration import ReloadedConfiguration
    from facemon.config.document import Config
    from facemon.config.quantities import Listen
    from facemon.config.serving import ApiConfig, PredictConfig
    from facemon.store.process_lock import ProcessLock

_EXTRA = ("multipart", "starlette")


@dataclass(frozen=True, slots=True)
class ServeRequest:
    """Where and how the API is served."""

    report: Callable[[Exception, str], None]
    """Takes the error of a request that failed, and the request's number."""
    listen: "Listen | None" = None
    """None for `api.listen`; port 0 takes a free one."""
    workers: int | None = None
    """Processes that predict; None for `api.workers`, or one for each core."""
    instance: str | None = None
    """The name to count requests under; None for `api.instance`, or host and address."""


def serve_api(operation: Operation, request: ServeRequest, configuration: "ReloadedConfiguration") -> None:
    """Answer requests until a signal ends this; every prediction is logged."""
    _require_extra()
    from facemon.application.running_api import RunningApi, tokens_of
    from facemon.model.factory import ModelFactory
    from facemon.predict.pipeline import default_threads
    from facemon.server.listening_socket import open_socket

    reporter, address = operation.reporter, request.listen or operation.config.api.listen
    config, tokens = _servable(operation.config), tokens_of(operation, operation.config)
    predictor = ModelFactory(config.model, _limits(config))()
    for note in predictor.notes:
        reporter.say(note)
    with ExitStack() as stack:
        listening = stack.enter_context(open_socket(address))
        address = address._replace(port=listening.getsockname()[1])
        name, lock = _identity(operation, address, request.instance)
        stack.enter_context(lock)
        if tokens is None and not address.is_loopback:
            reporter.warn(f"{address} can be reached from other machines without a token: see api.tokens_file")
        api = _held_to(config, address)
        count = request.workers or api.workers or default_threads()
        running = RunningApi(operation, predictor, name, tokens, api, count, configuration, request.report, stack)
        running.serve(listening, f"http://{address}")
    reporter.say("stopped; every prediction is logged")


def _require_extra() -> None:
    """FacemonError where a library is missing that only the API needs."""
    if missing := [name for name in _EXTRA if find_spec(name) is None]:
        raise FacemonError(f"facemon serve needs {' and '.join(missing)}", "pip install 'facemon[serve]'")


def _servable(config: "Config") -> "Config":
    """UsageError for what no request could be answered with, such as a finder that finds nothing in what they bring."""
    for plugin in plugin_formats():
        if plugin.name in config.api.formats and not plugin.is_readable:
            raise UsageError(f"api.formats has {plugin.name}, which needs an extra package", plugin.hint)
    if (finder := finder_of(config.model.faces)).takes_boxes:
        searching, whole = finders_for_bare_images()
        raise UsageError(
            f"model.faces.finder is {finder.name}, and requests to the API bring no boxes of faces",
            f"set model.faces.finder to {either(searching)}, or to {either(whole)} if each image is one face",
        )
    return config


def _limits(config: "Config") -> "PredictConfig":
    """The limits of one image: the API's own, and what is common to all predictions."""
    api = config.api
    own = {name: getattr(api, name) for name in ("max_pixels", "max_decode_memory", "formats")}
    # The size of a body is limited where it arrives, by a limit that may change.
    own |= {"max_bytes": sys.maxsize, "max_decode_seconds": api.decode_seconds}
    return config.predict.model_copy(update=own)


def _identity(operation: Operation, listen: "Listen", given: str | None) -> "tuple[str, ProcessLock]":
    """The name under which this API counts its requests, and the lock that holds it."""
    from facemon.config.serving import parse_instance
    from facemon.store.api_identity import default_instance, hold_identity

    try:
        name = parse_instance(given) if given is not None else operation.config.api.instance
    except ValueError as error:
        raise UsageError(f"--instance: {error}") from error
    name = name or default_instance(listen)
    # The ledger is closed again: no connection may be open while other processes are forked.
    with operation.open_ledger(create=True) as ledger:
        return name, hold_identity(ledger, name, listen)


def _held_to(config: "Config", listen: "Listen") -> "ApiConfig":
    """The api section as this process can keep it: its connections, and all host names that it goes by."""
    from facemon.server.foreign_pages import hosts_of_api
    from facemon.server.http_server import most_connections

    api = config.api
    connections = most_connections(api.max_connections)
    return api.model_copy(update={"max_connections": connections, "allowed_hosts": hosts_of_api(config, listen)})
