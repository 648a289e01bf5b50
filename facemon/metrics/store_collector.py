"""The store's metrics, read from the ledger at the moment they are asked for: committed values only."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from facemon.config.evaluation import EvaluateConfig
from facemon.config.model import ModelConfig
from facemon.domain.attribute import Measure
from facemon.domain.drift_result import CONFIDENCE, LABEL, VALUE
from facemon.domain.metric_catalogue import MetricGroup
from facemon.errors import FacemonError
from facemon.store.command_run import CommandRun
from facemon.store.drift_states import CheckState, DriftGauge, SourceState
from facemon.store.ledger.protocol import Ledger
from facemon.store.request_totals import EVERY_INSTANCE
from facemon.store.shown_models import checked_models, evaluated_models, idle_models
from facemon.store.total_families import counter_family, gauge_family, histogram_family, request_families
from facemon.store.totals import Totals
from facemon.version import __version__

Series = Iterable[tuple[tuple[str, ...], float]]
_MICROS = 1e6
_MIN_LABELS = EvaluateConfig().min_labels
NO_SOURCE = "(no source)"
"""The label of rows without a source: to Prometheus an empty label is none."""
IMAGE_STATUSES = ("ok", "no_face", "failed")


class StoreCollector(Collector):
    """Metric families from a ledger, opened anew for each scrape so that a store that returns is seen."""

    def __init__(
        self,
        open_ledger: Callable[[], Ledger],
        model: ModelConfig,
        groups: Collection[MetricGroup],
        must_read: bool,
        announced: CommandRun | None = None,
        instance: str | None = None,
        *,
        min_labels: int = _MIN_LABELS,
    ) -> None:
        self._min_labels = min_labels
        self._instance = instance
        self._open_ledger = open_ledger
        self._model = model
        self._groups = groups
        self._must_read = must_read
        self._announced = announced
        """A run that is told as it will be entered, in place of the one before."""

    def describe(self) -> list[Family]:
        """Nothing, so that registering does not read the store."""
        return []

    def collect(self) -> Iterator[Family]:
        """Every family of the chosen groups that has a value.

        A broken store is `facemon_source_up 0`; with `must_read` it is a FacemonError.
        """
        yield gauge_family("facemon_build_info", [((__version__,), 1.0)])
        try:
            with self._open_ledger() as ledger:
                families = list(self.read(ledger))
        except FacemonError:
            if self._must_read:
                raise
            yield gauge_family("facemon_source_up", [(("store",), 0.0)])
            return
        yield gauge_family("facemon_source_up", [(("store",), 1.0)])
        yield from families

    def read(self, ledger: Ledger) -> Iterator[Family]:
        """The store's families; FacemonError when the store cannot be read."""
        with ledger.reading():
            totals = ledger.totals.read()
            evaluated = sorted(evaluated_models(ledger, self._model.id))
            accuracy = {model: ledger.evaluations.accuracy(model, self._min_labels) for model in evaluated}
            checked = checked_models(ledger, self._model.id)
            drift = [gauge for gauge in ledger.checks.gauges() if gauge.model in checked]
            checks = [check for check in ledger.checks.states() if check.model in checked]
            sources = [each for each in ledger.checks.source_states() if each.model in checked]
            idle = idle_models(ledger, self._model.id)
            runs = ledger.commands.all()
            requests = None if self._instance is None else ledger.requests.read(self._instance)
        if requests is not None:
            yield from request_families(requests, expects_predict=self._instance != EVERY_INSTANCE)
        if MetricGroup.MODEL in self._groups:
            yield from self._model_families(totals)
            known = [(each, model) for model, found in accuracy.items() for each in found]
            shares = [((each.attribute, model), each.share) for each, model in known if each.share is not None]
            yield from _known("model_accuracy", shares)
            yield from _known(
                "model_accuracy_labels", [((each.attribute, model), each.labels) for each, model in known]
            )
        if MetricGroup.DRIFT in self._groups:
            yield from _drift_families(drift)
            yield from _check_families(checks, idle)
            yield from _source_families(sources)
        if announced := self._announced:
            runs = [announced, *(run for run in runs if run.command != announced.command)]
        yield from _run_families(runs)

    def _model_families(self, totals: Totals) -> Iterator[Family]:
        """All labels that the model can predict are there from the start: a ratio with a missing series is silent."""
        model = self._model.id
        labels = [(a.name, label, model) for a in self._model.attributes for label in a.classes]
        yield counter_family("model_predictions_total", totals, labels)
        yield counter_family("images_processed_total", totals, [(status,) for status in IMAGE_STATUSES])
        yield histogram_family("model_inference_latency_seconds", totals, [(model,)])
        confident = [(a.name, model) for a in self._model.attributes if Measure.CONFIDENCE.column(a.name) in a.columns]
        yield histogram_family("model_confidence_score", totals, confident)


def build_registry(
    open_ledger: Callable[[], Ledger],
    model: ModelConfig,
    groups: Collection[MetricGroup] = tuple(MetricGroup),
    *,
    must_read: bool = False,
    announced: CommandRun | None = None,
    instance: str | None = None,
    min_labels: int = _MIN_LABELS,
) -> CollectorRegistry:
    """A registry of its own, which holds the store's metrics and nothing else.

    `announced` is a run that is about to succeed: it is shown as if it had ended. With `instance` there are the metrics
    of the requests that the API on that address has answered too, or on any address for `EVERY_INSTANCE`. `min_labels`
    is how many true labels an accuracy needs (`evaluate.min_labels`).
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StoreCollector(open_ledger, model, groups, must_read, announced, instance, min_labels=min_labels))
    return registry


def _drift_families(gauges: Sequence[DriftGauge]) -> Iterator[Family]:
    # Neither accuracy nor the value of an attribute with labels: beside the labels' they would be a second series with
    # the same labels, which breaks the scrape.
    labelled = {(gauge.attribute, gauge.check, gauge.model) for gauge in gauges if gauge.measure == LABEL}
    labels = [
        gauge
        for gauge in gauges
        if gauge.measure == LABEL
        or (gauge.measure == VALUE and (gauge.attribute, gauge.check, gauge.model) not in labelled)
    ]
    confidences = [gauge for gauge in gauges if gauge.measure == CONFIDENCE]
    yield from _known("drift_score", _series(labels, lambda g: g.score))
    yield from _known("confidence_drift_score", _series(confidences, lambda g: g.score))
    yield from _known("drift_p_value", _series(labels, lambda g: g.p_value))
    yield from _known("drift_samples", _series(labels, lambda g: g.samples))
    # One series for an attribute of a model: it drifted if its labels did or its confidences did.
    yield from _known("drift_detected", _largest(_series(gauges, lambda g: g.detected)))
    yield from _known("drift_undecided", _largest(_series(gauges, lambda g: g.undecided)))


def _check_families(checks: Sequence[CheckState], idle: Collection[str]) -> Iterator[Family]:
    yield from _known("drift_threshold", [((each.check, each.model), each.threshold) for each in checks])
    decided = [((each.check, each.model), each.decided / _MICROS) for each in checks if each.decided is not None]
    yield from _known("drift_decided_timestamp_seconds", decided)
    # When a model that was replaced was checked last would be stale for ever.
    ran = [((each.check, each.model), each.at / _MICROS) for each in checks if each.model not in idle]
    yield from _known("drift_check_timestamp_seconds", ran)


def _source_families(sources: Sequence[SourceState]) -> Iterator[Family]:
    # A source that is really called so would otherwise be a second series with the same labels.
    found = [((each.check, each.source or NO_SOURCE, each.model), each) for each in sources]
    decided = [(labels, float(each.detected)) for labels, each in found if each.detected is not None]
    yield from _known("drift_source_detected", _largest(decided))
    yield from _known("drift_source_rows", _largest((labels, each.rows) for labels, each in found))


def _series(gauges: Sequence[DriftGauge], value: Callable[[DriftGauge], float | None]) -> Series:
    found = [((gauge.attribute, gauge.check, gauge.model), value(gauge)) for gauge in gauges]
    return [(labels, float(number)) for labels, number in found if number is not None]


def _largest(series: Series) -> Series:
    largest: dict[tuple[str, ...], float] = {}
    for labels, value in series:
        largest[labels] = max(value, largest.get(labels, value))
    return largest.items()


def _run_families(runs: Sequence[CommandRun]) -> Iterator[Family]:
    successes = [((run.command,), run.last_success / _MICROS) for run in runs if run.last_success is not None]
    yield from _known("facemon_last_success_timestamp_seconds", successes)
    yield from _known("facemon_last_run_duration_seconds", [((run.command,), run.seconds) for run in runs])


def _known(metric: str, series: Series) -> Iterator[Family]:
    """The gauge, if anything of it is known; one that is not known is absent, never 0."""
    if known := sorted(series):
        yield gauge_family(metric, known)
