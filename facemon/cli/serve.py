"""`facemon serve`: the ML API."""

from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from facemon.cli.command import command
from facemon.cli.session import Session
from facemon.errors import ConfigError, ExitCode, FacemonError, Interrupted, UsageError

if TYPE_CHECKING:
    from facemon.config.quantities import Listen
    from facemon.model.predictor import Predictor
    from facemon.server.api_metrics import Application
    from facemon.store.live_writer import LiveWriter

app = typer.Typer()
_EXTRA = ("starlette", "uvicorn")


@command(app, "serve")
def serve(
    session: Session,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Where to listen (default: api.listen, 127.0.0.1:8000); port 0 takes a free one.",
        ),
    ] = None,
) -> ExitCode:
    """Serve the ML API until interrupted: POST /predict, GET /health, /ready and /metrics.

    The body of a request is one image; ?source=NAME says which camera it comes from. Every prediction is logged.
    """
    address = _address(session, listen)
    _refuse_what_is_missing(session)
    from facemon.model.predictor import Predictor
    from facemon.server.api_server import open_socket, run_server

    config = session.config
    limits = config.predict.model_copy(update={"max_bytes": config.api.max_body, "max_pixels": config.api.max_pixels})
    predictor = Predictor(config.model, limits)
    with ExitStack() as stack:
        listening = stack.enter_context(open_socket(address))
        log = stack.enter_context(_log(session, predictor))
        application = _application(session, predictor, log, stack)
        if not address.is_loopback:
            session.console.warn(f"{address} can be reached from other machines, and nobody is asked for a password")
        port = listening.getsockname()[1]
        try:
            session.console.say(f"serving predictions on http://{address.host}:{port}")
            run_server(application, listening, patience=config.api.timeout.total_seconds())
        except Interrupted:
            session.console.detail("finishing what has begun")
    session.console.say("stopped; every prediction is logged")
    return ExitCode.OK


def _address(session: Session, listen: str | None) -> "Listen":
    from facemon.config.quantities import parse_listen

    try:
        return parse_listen(listen) if listen else session.config.api.listen
    except ValueError as error:
        raise UsageError(f"--listen: {error}") from error


def _refuse_what_is_missing(session: Session) -> None:
    if missing := [name for name in _EXTRA if find_spec(name) is None]:
        raise FacemonError(f"facemon serve needs {' and '.join(missing)}", "pip install 'facemon[serve]'")
    if session.config.api.tokens_file:
        # To serve without the protection that was asked for would be worse than not to serve.
        raise ConfigError(
            "api.tokens_file: facemon serve cannot ask for tokens yet", "let a proxy do it, and remove it"
        )


def _log(session: Session, predictor: "Predictor") -> "LiveWriter":
    from facemon.store.live_writer import LiveWriter
    from facemon.store.runs import RunIdentity

    # Made here and never again: a store that disappears while serving is expected back.
    session.open_ledger(create=True).close()
    identity = RunIdentity(("api",), predictor.model.id, predictor.fingerprint, None)
    return LiveWriter(session.open_ledger, identity, session.console.warn, datetime.now(UTC))


def _application(session: Session, predictor: "Predictor", log: "LiveWriter", stack: ExitStack) -> "Application":
    from concurrent.futures import ThreadPoolExecutor

    from facemon.metrics.store_collector import build_registry
    from facemon.predict.pipeline import default_threads
    from facemon.server.api_metrics import ApiMetrics
    from facemon.server.live_predictions import LivePredictions
    from facemon.server.prediction_api import PredictionApi

    config, console = session.config, session.console

    def why_not_ready() -> str | None:
        try:
            session.open_ledger().close()
        except FacemonError as error:
            return error.message
        return log.trouble

    def report(error: Exception) -> None:
        if isinstance(error, FacemonError):
            console.error(error)
        else:
            console.fault(error)

    predictions = LivePredictions(predictor, config.model.attributes, log.add, cache_size=config.api.cache_size)
    # Entered after the log, so that it ends before: what the last thread predicts is logged too.
    pool = stack.enter_context(ThreadPoolExecutor(config.predict.threads or default_threads(), "predict"))
    metrics = ApiMetrics(
        config.model.id, predictions, build_registry(session.open_ledger, config.model), lambda: log.trouble
    )
    return PredictionApi(config.api, predictions, pool, metrics, why_not_ready).application(report)
