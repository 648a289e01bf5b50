"""What the dashboard *ML Model Metrics* shows of each source by itself: whether it drifts, and whether it is silent."""

from collections.abc import Sequence

from facemon.config.document import Config
from facemon.render import promql
from facemon.render.dashboards.legend import legend_of
from facemon.render.dashboards.ml_drift import NO_CHECK
from facemon.render.dashboards.panel import Limit, Panel, PanelType, Query, State
from facemon.render.drift_series import SOURCE_DETECTED, SOURCE_ROWS

_OK, _DRIFT, _UNDECIDED, _SILENT = range(4)
_VERDICTS = {
    _OK: State("ok", "green"),
    _DRIFT: State("drift", "red"),
    _UNDECIDED: State("undecided", "orange"),
    _SILENT: State("silent", "purple"),
}


def source_panels(config: Config, chosen: Sequence[promql.Matcher]) -> tuple[Panel, ...]:
    """The panels of sources; `chosen` are the targets and the models whose metrics are asked for."""
    sources = (*chosen, promql.chosen("source"))
    legend = legend_of(config, "{{source}} ({{check}}, {{model}})")
    rows = promql.select(SOURCE_ROWS, *sources)
    return (
        Panel(
            id=27,
            title="Verdicts by source",
            description="What the newest check says of each source. Silent: the reference has rows of it, and the "
            "check found none. Undecided: it found too few.",
            unit="none",
            queries=(Query(_verdicts(sources, rows), legend),),
            type=PanelType.STATES,
            states=_VERDICTS,
            no_value=NO_CHECK,
            width=24,
        ),
        Panel(
            id=28,
            title="Rows by source",
            description="Rows of each source in the last check. Below drift.min_rows, the line, the source is "
            "undecided; at 0 it is silent.",
            unit="short",
            queries=(Query(rows, legend),),
            limit=Limit(config.drift.min_rows, is_lowest=True, colour="orange"),
            no_value=NO_CHECK,
            width=24,
        ),
    )


def _verdicts(sources: Sequence[promql.Matcher], rows: promql.Expr) -> promql.Expr:
    """Silent, else what was decided, else undecided: of an undecided source there are rows and no verdict."""
    silent = promql.constant_for(promql.compare(rows, "==", 0), _SILENT)
    decided = promql.select(SOURCE_DETECTED, *sources)
    return promql.either(promql.either(silent, decided), promql.constant_for(rows, _UNDECIDED))
