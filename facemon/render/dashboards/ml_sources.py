"""What the dashboard *ML Model Metrics* shows of each source by itself: whether it drifts, and whether it is silent."""

from collections.abc import Sequence
from dataclasses import replace

from facemon.config.document import Config
from facemon.render import promql
from facemon.render.dashboards.colours import BAD, GOOD, SILENT, WARNING
from facemon.render.dashboards.expressions import any_target, lowest
from facemon.render.dashboards.legend import legend_of
from facemon.render.dashboards.ml_drift import NO_CHECK
from facemon.render.dashboards.panel import Limit, Link, Panel, PanelType, Query, State
from facemon.render.drift_series import SOURCE_DETECTED, SOURCE_ROWS

_OK, _DRIFT, _UNDECIDED, _SILENT = range(4)
_VERDICTS = {
    _OK: State("ok", GOOD),
    _DRIFT: State("drift", BAD),
    _UNDECIDED: State("undecided", WARNING),
    _SILENT: State("silent", SILENT),
}
_ONLY_THIS = Link(
    "Only this source",
    "/d/facemon-ml-metrics?${datasource:queryparam}&var-source=${__value.raw:percentencode}&${__url_time_range}",
)


def source_panels(config: Config, chosen: Sequence[promql.Matcher]) -> tuple[Panel, ...]:
    """The panels of sources; `chosen` are the targets and the models whose metrics are asked for."""
    sources = (*chosen, promql.chosen("source"))
    legend = legend_of(config, "{{source}} ({{check}}, {{model}})")
    rows = promql.select(SOURCE_ROWS, *sources)
    return (
        replace(
            _verdict_panel(
                27,
                "Verdicts by source",
                "What the newest check says of each source. Silent: the reference has rows of it, and the check found "
                "none. Undecided: it found too few.",
                Query(_verdicts(sources, rows), legend),
            ),
            width=24,
            height=12,
        ),
        Panel(
            id=29,
            title="Sources now",
            description="What the newest check says of each source, and its rows. Click a source to see it alone.",
            unit="none",
            queries=(
                Query(any_target("max", _verdicts(sources, rows)), "Verdict", states=_VERDICTS),
                Query(any_target("max", rows), "Rows", "locale"),
            ),
            type=PanelType.TABLE,
            links={"source": _ONLY_THIS},
            lowest=None,
            no_value=NO_CHECK,
        ),
        Panel(
            id=28,
            title="Rows by source",
            description="Rows of each source in the last check. Below drift.min_rows, the line, the source is "
            "undecided; at 0 it is silent. The ten that are lowest at the end of the time shown; choose a source to "
            "see others.",
            unit="short",
            queries=(Query(lowest(SOURCE_ROWS, *sources), legend),),
            limit=_least_rows(config),
            no_value=NO_CHECK,
        ),
    )


def panels_of_one_source(config: Config, chosen: Sequence[promql.Matcher]) -> tuple[Panel, ...]:
    """The panels that are repeated for each source, in a section of its own."""
    sources = (*chosen, promql.chosen("source"))
    legend = legend_of(config, "{{check}} ({{model}})")
    rows = promql.select(SOURCE_ROWS, *sources)
    return (
        _verdict_panel(
            30,
            "Verdicts of this source",
            "What each check said of this source, as in Verdicts by source.",
            Query(_verdicts(sources, rows), legend),
        ),
        Panel(
            id=31,
            title="Rows of this source",
            description="Rows of this source in each check; the line is drift.min_rows.",
            unit="short",
            queries=(Query(rows, legend),),
            limit=_least_rows(config),
            no_value=NO_CHECK,
        ),
    )


def _verdict_panel(number: int, title: str, description: str, query: Query) -> Panel:
    """A panel with a coloured row of verdicts over time for each source and check."""
    return Panel(
        id=number,
        title=title,
        description=description,
        unit="none",
        queries=(query,),
        type=PanelType.STATES,
        states=_VERDICTS,
        no_value=NO_CHECK,
    )


def _least_rows(config: Config) -> Limit:
    return Limit(config.drift.min_rows, is_lowest=True, colour=WARNING)


def _verdicts(sources: Sequence[promql.Matcher], rows: promql.Expr) -> promql.Expr:
    """Silent, else what was decided, else undecided: of an undecided source there are rows and no verdict."""
    silent = promql.constant_for(promql.compare(rows, "==", 0), _SILENT)
    decided = promql.select(SOURCE_DETECTED, *sources)
    return promql.either(promql.either(silent, decided), promql.constant_for(rows, _UNDECIDED))
