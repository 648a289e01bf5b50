"""Prediction: images in, attributes out, everything logged; or once more what failed before."""

from typing import TYPE_CHECKING

from facemon.application.operation import Operation
from facemon.application.prediction_run import PredictRequest, Show, run
from facemon.application.retry_run import retry
from facemon.errors import ExitCode

if TYPE_CHECKING:
    from facemon.model.predictor import Predictor
    from facemon.predict.run_summary import FailureLimit, RunSummary


def predict(operation: Operation, request: PredictRequest, limit: "FailureLimit", show: Show) -> "RunSummary":
    """Predict and log what the request names; more failures than the limit allows are entered as a failed command."""
    return _logged(operation, request, limit, show, retries=False)


def predict_unlogged(operation: Operation, request: PredictRequest, show: Show) -> "RunSummary":
    """Predict what the request names without a log."""
    return run(operation, request, _predictor(operation), None, show)


def retry_failed(operation: Operation, request: PredictRequest, limit: "FailureLimit", show: Show) -> "RunSummary":
    """Predict the failed inputs of the newest run on the same paths again; their new rows supersede the old ones."""
    return _logged(operation, request, limit, show, retries=True)


def _logged(
    operation: Operation, request: PredictRequest, limit: "FailureLimit", show: Show, *, retries: bool
) -> "RunSummary":
    predictor = _predictor(operation)
    with operation.open_ledger(create=True) as ledger, operation.recorded(ledger, "predict") as outcome:
        predictor.go_by(ledger.clock.now)
        summary = (retry if retries else run)(operation, request, predictor, ledger, show)
        outcome.code = ExitCode.FAILED if summary.exceeds(limit) else ExitCode.OK
    return summary


def _predictor(operation: Operation) -> "Predictor":
    """The model, loaded; what a user should know of it is said."""
    from facemon.model.predictor import Predictor

    predictor = Predictor(operation.config.model, operation.config.predict)
    for note in predictor.notes:
        operation.reporter.say(note)
    return predictor
