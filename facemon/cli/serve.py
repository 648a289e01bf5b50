"""`facemon serve`: the ML API."""

import signal
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from facemon.cli.command import command
from facemon.cli.reloaded_configuration import ReloadedConfiguration
from facemon.cli.session import Session
from facemon.domain.image_formats import HEIF_HINT, heif_is_installed
from facemon.errors import ExitCode, FacemonError, UsageError

if TYPE_CHECKING:
    from facemon.config.document import Config
    from facemon.config.quantities import Listen
    from facemon.config.serving import ApiConfig, PredictConfig
    from facemon.store.process_lock import ProcessLock

app = typer.Typer()
_EXTRA = ("httptools", "multipart", "starlette", "uvicorn", "uvloop")


_ListenOption = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Where to listen (default: api.listen, 127.0.0.1:8000); port 0 takes a free one.",
    ),
]
_WorkersOption = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=1, max=1024, help="Processes that predict (default: api.workers, one for each core)."
    ),
]
_InstanceOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Name to count requests under (default: api.instance, host and address)."),
]


@command(app, "serve")
def serve(
    session: Session,
    listen: _ListenOption = None,
    workers: _WorkersOption = None,
    instance: _InstanceOption = None,
) -> ExitCode:
    """Serve the ML API until interrupted: POST /predict, GET /health, /ready, /metrics and /docs.

    The body of a request is one image, or a form with several; ?source=NAME says which camera they come from. Every
    prediction is logged.

    SIGHUP reads the tokens and the limits of requests anew; all else changes with a restart.
    """
    address = _address(session, listen)
    _require_extra()
    configuration = ReloadedConfiguration(session, lambda config, _: running.follow(config))
    # From here on the signal is a request to reload; by itself it would end the process.
    signal.signal(signal.SIGHUP, configuration.ask_for_reload)
    from facemon.cli.running_api import RunningApi, tokens_of
    from facemon.model.predictor import Predictor
    from facemon.predict.pipeline import default_threads
    from facemon.server.listening_socket import open_socket

    config, tokens = _servable(session.config), tokens_of(session, session.config)
    predictor = Predictor(config.model, _limits(config))
    for note in predictor.notes:
        session.console.say(note)
    with ExitStack() as stack:
        listening = stack.enter_context(open_socket(address))
        address = address._replace(port=listening.getsockname()[1])
        name, lock = _identity(session, address, instance)
        stack.enter_context(lock)
        if tokens is None:
            _warn_if_public(session, address)
        api = _held_to(config, address)
        count = workers or api.workers or default_threads()
        running = RunningApi(session, predictor, name, tokens, api, count, configuration, stack)
        running.serve(listening, f"http://{address}")
    session.console.say("stopped; every prediction is logged")
    return ExitCode.OK


def _require_extra() -> None:
    if missing := [name for name in _EXTRA if find_spec(name) is None]:
        raise FacemonError(f"facemon serve needs {' and '.join(missing)}", "pip install 'facemon[serve]'")


def _servable(config: "Config") -> "Config":
    """UsageError for what no request could be answered with, such as a finder that finds nothing in what they bring."""
    if "heif" in config.api.formats and not heif_is_installed():
        raise UsageError("api.formats has heif, which takes an extra to read", HEIF_HINT)
    if config.model.faces.finder == "manifest":
        raise UsageError(
            "model.faces.finder is manifest, and requests to the API bring no boxes of faces",
            "set model.faces.finder to dlib or yunet, or to none if each image is one face",
        )
    return config


def _limits(config: "Config") -> "PredictConfig":
    """The limits of one image: the API's own, and what is common to all predictions."""
    api = config.api
    own = {name: getattr(api, name) for name in ("max_pixels", "max_decode_memory", "formats")}
    # The size of a body is limited where it arrives, by a limit that may change.
    own |= {"max_bytes": sys.maxsize, "max_decode_seconds": api.decode_seconds}
    return config.predict.model_copy(update=own)


def _address(session: Session, listen: str | None) -> "Listen":
    from facemon.config.quantities import parse_listen

    try:
        return parse_listen(listen) if listen else session.config.api.listen
    except ValueError as error:
        raise UsageError(f"--listen: {error}") from error


def _identity(session: Session, listen: "Listen", given: str | None) -> "tuple[str, ProcessLock]":
    """The name under which this API counts its requests, and the lock that holds it."""
    from facemon.config.serving import parse_instance
    from facemon.store.api_identity import default_instance, hold_identity

    try:
        name = parse_instance(given) if given is not None else session.config.api.instance
    except ValueError as error:
        raise UsageError(f"--instance: {error}") from error
    name = name or default_instance(listen)
    # The ledger is closed again: no connection may be open while other processes are forked.
    with session.open_ledger(create=True) as ledger:
        return name, hold_identity(ledger, name, listen)


def _warn_if_public(session: Session, address: "Listen") -> None:
    if not address.is_loopback:
        session.console.warn(f"{address} can be reached from other machines without a token: see api.tokens_file")


def _held_to(config: "Config", listen: "Listen") -> "ApiConfig":
    """The api section as this process can keep it: its connections, and all host names that it goes by."""
    from facemon.server.api_server import most_connections
    from facemon.server.foreign_pages import hosts_of_api

    api = config.api
    connections = most_connections(api.max_connections)
    return api.model_copy(update={"max_connections": connections, "allowed_hosts": hosts_of_api(config, listen)})
