"""The alerts on one source of images alone: its rows drift, or there are none of them any more."""

from dataclasses import dataclass

from facemon.config.alerts import DEFAULT_ALERTS
from facemon.config.document import Config
from facemon.render import promql
from facemon.render.alert import Alert, Dashboard, Runbook
from facemon.render.annotation import label
from facemon.render.carried_labels import every_label
from facemon.render.drift_series import (
    CHECKED_AT,
    DETECTED,
    DRIFT_INCIDENT,
    SOURCE_DETECTED,
    SOURCE_ROWS,
    drift_held,
    example_source,
    other_source,
)
from facemon.render.scenario import Firing, Gauge, Scenario, Span, series_text

_NAME = "NAME is the alert's label `source`, quoted for the shell."
_WIDEN = (
    "Run `facemon drift-check --source NAME --since 2d --no-record`, then with `7d` and `30d`, until there are rows: "
    "the source sent its last ones within that time."
)
_NO_SOURCE = "`(no source)` means the rows that were logged without a source."


@dataclass(frozen=True, slots=True)
class _SourceAlert:
    """An alert that fires while a gauge of a source is at one level."""

    name: str
    metric: promql.Series
    bad: int
    good: int
    limit: str
    summary: str
    description: str
    runbook: Runbook
    incident: str = ""

    def alert(self, config: Config) -> Alert:
        signal, usual = promql.select(self.metric), DEFAULT_ALERTS[self.name]
        return Alert(
            name=self.name,
            group="drift",
            signal=signal,
            expr=promql.compare(signal, "==", self.bad),
            limit=self.limit,
            for_=drift_held(config) if self.incident == DRIFT_INCIDENT else usual.for_,
            severity=usual.severity,
            summary=self.summary,
            description=self.description,
            dashboard=Dashboard.ML_METRICS,
            runbook=self.runbook,
            carries=every_label(self.metric, config),
            scenarios=self._scenarios(config),
            incident=self.incident,
        )

    def _scenarios(self, config: Config) -> tuple[Scenario, ...]:
        here, others = example_source(config), other_source(config)

        def gauge(before: float | None, then: float | None, **elsewhere: str) -> Gauge:
            return Gauge(series_text(self.metric.name, {**here, **elsewhere}), before, then)

        unaffected = tuple(gauge(self.good, self.good, **{name: other}) for name, other in others.items())
        fires = Firing(here, self.bad)
        return (
            Scenario("turns bad and good again; other sources, checks, models and instances are unaffected",
                     (gauge(self.good, self.bad), *unaffected), fires, Span.HELD),
            Scenario("bad, then its series ends", (gauge(None, self.bad),), fires, Span.HELD),
            Scenario("good everywhere", (gauge(self.good, self.good), *unaffected)),
        )  # fmt: skip


_SOURCE_DRIFT = _SourceAlert(
    "SourceDrift", SOURCE_DETECTED, 1, 0,
    "the last drift check found drift in the rows of one source",
    f"Source {label('source')} of {label('model')} drifts",
    f"The last {label('check')} check of {label('model')} found drift in the rows of source {label('source')}.",
    Runbook(
        "The last `facemon drift-check` ended in 3 because the rows of this source differ from the reference. The "
        f"check judges each source by itself: the others may be as before. {_NO_SOURCE}",
        (
            "the camera was moved, turned, replaced or cleaned",
            "the light at its place has changed",
            "other people pass it than when the reference was set",
            "its images are prepared in another way",
        ),
        (
            "Run `facemon drift-check --by source --no-record`: it lists the columns of each source that drift.",
            f"Run `facemon drift-check --source NAME --explain COLUMN --now` for the labels that moved. {_NAME}",
            "Look at images of the source; if the change is wanted, set a new reference, else correct the camera.",
        ),
        {
            "The rows of each source:": promql.select(SOURCE_ROWS),
            "The columns that drift over all sources:": promql.compare(promql.select(DETECTED), "==", 1),
            "Seconds since each check ran:": promql.age(CHECKED_AT),
        },
    ),
    incident=DRIFT_INCIDENT,
)  # fmt: skip
_SOURCE_SILENT = _SourceAlert(
    "SourceSilent", SOURCE_ROWS, 0, 1,
    "a source of the reference of which the last drift check found no rows",
    f"Source {label('source')} of {label('model')} is silent",
    f"The reference has rows of source {label('source')}; the last {label('check')} check of {label('model')} found "
    "none.",
    Runbook(
        "facemon has logged no image of this source in the window of the last check (`drift.window`), not even one "
        f"without a face. {_NO_SOURCE}",
        (
            "the camera, its network or its power is off",
            "the job that predicts its images does not run",
            "the source was renamed: `predict --source` gives it another name than the reference has",
            "the camera was removed, and the reference still has its rows",
        ),
        (
            "Run `facemon drift-check --by source --since 1h --no-record`: the rows of an hour, or when the last came.",
            f"{_WIDEN} {_NAME}",
            "Check the camera and the job that predicts its images.",
            "If the camera was removed or renamed, set a new reference without the old name.",
        ),
        {
            "The rows of each source:": promql.select(SOURCE_ROWS),
            "Seconds since each check ran:": promql.age(CHECKED_AT),
        },
    ),
)  # fmt: skip


def source_alerts(config: Config) -> tuple[Alert, ...]:
    """The alerts on single sources, one for each source, check and model."""
    return _SOURCE_DRIFT.alert(config), _SOURCE_SILENT.alert(config)
