"""What the dashboard *ML Model Metrics* shows of drift: each column against its own threshold."""

from collections.abc import Sequence

from facemon.config.document import Config
from facemon.domain.prediction import IMAGE_COLUMNS
from facemon.render import promql
from facemon.render.dashboards.alert_limits import AlertLimits
from facemon.render.dashboards.colours import BAD, GOOD, NEUTRAL, WARNING
from facemon.render.dashboards.expressions import any_target, at_least, highest, lowest, value_of_group
from facemon.render.dashboards.legend import legend_of
from facemon.render.dashboards.panel import Limit, Link, Panel, PanelType, Query, Scale, State
from facemon.render.drift_series import (
    CHECKED_AT,
    CONFIDENCE_SCORE,
    DECIDED_AT,
    DETECTED,
    LAST_SUCCESS,
    P_VALUE,
    SAMPLES,
    SCORE,
    THRESHOLD,
    UNDECIDED,
)

NO_CHECK = "no check yet"
_VERDICTS = {0: State("ok", GOOD), 1: State("drift", BAD), 2: State("undecided", WARNING)}
_LEAST_P = 1e-6
"""Smaller p-values are drawn there: they say nothing more, and an axis for all of them would have too many numbers."""
_LINE_PIXELS, _UNIT_PIXELS = 20, 38
_FRAME, _TALLEST = 4, 30
"""In units of Grafana's grid: the title, the time axis and the legend; as high as a panel may become."""
_ONLY_THIS = Link(
    "Only this column",
    "/d/facemon-ml-metrics?${datasource:queryparam}&var-attribute=${__value.raw:percentencode}&${__url_time_range}",
)
FEW = "The ten that are {} at the end of the time shown; choose an attribute to see others."


def drift_panels(config: Config, limits: AlertLimits, chosen: Sequence[promql.Matcher]) -> tuple[Panel, ...]:
    """The panels of drift; `chosen` are the targets and the models whose metrics are asked for."""
    columns = (*chosen, promql.chosen("attribute"))
    legend = legend_of(config, "{{attribute}} ({{check}}, {{model}})")
    return (
        Panel(
            id=4,
            title="Drift score over time",
            description="Distance from the reference, 0 to 1, when last decided. The line is the limit of the alert "
            f"DriftDetected. {FEW.format('highest')}",
            unit="percentunit",
            queries=(Query(highest(SCORE, *columns), legend),),
            limit=limits.of("DriftDetected"),
            highest=1,
            no_value=NO_CHECK,
        ),
        Panel(
            id=20,
            title="Drift score above its threshold",
            description="Each column's score less its own threshold, drift.columns before drift.model and drift.data: "
            f"from 0 on, a shift that is proven is drift. {FEW.format('highest')}",
            unit="percentunit",
            queries=(Query(_above_threshold(config, chosen), legend),),
            limit=Limit(0),
            lowest=None,
            no_value=NO_CHECK,
        ),
        _verdicts(config, columns, legend),
        _table(config, columns, chosen),
        *_evidence(config, columns, legend),
        _ages(config, limits, chosen),
    )


def time_since(command: str, targets: Sequence[promql.Matcher]) -> promql.Expr:
    """Seconds since a command last ended well."""
    return promql.age(LAST_SUCCESS, promql.equals("command", command), *targets)


def _height_for(lines: int) -> int:
    """The height of a panel with so many lines, each with its name, in units of Grafana's grid."""
    return min(_TALLEST, _FRAME + -(-lines * _LINE_PIXELS // _UNIT_PIXELS))


def _columns_of(config: Config) -> int:
    """How many columns the checks of the log compare."""
    return len(config.model.attributes) + len(IMAGE_COLUMNS)


def _verdicts(config: Config, columns: Sequence[promql.Matcher], legend: str) -> Panel:
    undecided = promql.compare(promql.select(UNDECIDED, *columns), "==", 1)
    verdict = promql.either(promql.constant_for(undecided, 2), promql.select(DETECTED, *columns))
    return Panel(
        id=21,
        title="Verdicts",
        description="What the newest check says of each column. Undecided: it had too little to go by, and the score "
        "is that of the check before.",
        unit="none",
        queries=(Query(verdict, legend),),
        type=PanelType.STATES,
        states=_VERDICTS,
        no_value=NO_CHECK,
        width=24,
        height=_height_for(_columns_of(config)),
    )


def _table(config: Config, columns: Sequence[promql.Matcher], chosen: Sequence[promql.Matcher]) -> Panel:
    def newest(expr: promql.Expr) -> promql.Expr:
        return any_target("max", expr)

    drifted, undecided = ({0: State("no", GOOD), 1: State("yes", colour)} for colour in (BAD, WARNING))
    return Panel(
        id=22,
        title="Columns now",
        description="The last decided score of each column, the threshold that it has, how sure the shift is "
        "(adjusted p-value), and on how many rows that rests. An attribute also drifts where only its confidences or "
        "its accuracy do. Click a column to see it alone.",
        unit="none",
        queries=(
            Query(newest(promql.select(SCORE, *columns)), "Score", "percentunit"),
            Query(newest(_thresholds(config, SAMPLES, chosen)), "Threshold", "percentunit"),
            Query(newest(promql.select(CONFIDENCE_SCORE, *columns)), "Confidence score", "percentunit"),
            Query(newest(promql.select(P_VALUE, *columns)), "p-value", "sci"),
            Query(newest(promql.select(SAMPLES, *columns)), "Rows", "locale"),
            Query(newest(promql.select(DETECTED, *columns)), "Drift", states=drifted),
            Query(newest(promql.select(UNDECIDED, *columns)), "Undecided", states=undecided),
        ),
        type=PanelType.TABLE,
        links={"attribute": _ONLY_THIS},
        no_value="",
        lowest=None,
        width=24,
        height=min(_height_for(2 * _columns_of(config)), _TALLEST // 2),
    )


def _evidence(config: Config, columns: Sequence[promql.Matcher], legend: str) -> tuple[Panel, ...]:
    return (
        Panel(
            id=23,
            title="p-values",
            description="How likely so large a shift is by chance, adjusted for the number of columns. Below the line, "
            f"drift.significance, it counts as proven; below {_LEAST_P:f} it is drawn there. {FEW.format('lowest')}",
            unit="sci",
            queries=(Query(at_least(lowest(P_VALUE, *columns), _LEAST_P), legend),),
            limit=Limit(config.drift.significance, colour=NEUTRAL),
            lowest=_LEAST_P,
            highest=1,
            scale=Scale.LOGARITHMIC,
            no_value=NO_CHECK,
        ),
        Panel(
            id=24,
            title="Rows compared",
            description="Rows on the current side of the last check. Below drift.min_rows, the line, it is undecided. "
            f"{FEW.format('lowest')}",
            unit="short",
            queries=(Query(lowest(SAMPLES, *columns), legend),),
            limit=Limit(config.drift.min_rows, is_lowest=True, colour=WARNING),
            no_value=NO_CHECK,
        ),
        Panel(
            id=25,
            title="Confidence drift",
            description="Distance of each attribute's confidences from the reference's, 0 to 1, when last decided. "
            f"{FEW.format('highest')}",
            unit="percentunit",
            queries=(Query(highest(CONFIDENCE_SCORE, *columns), legend),),
            highest=1,
            no_value=NO_CHECK,
        ),
    )


def _ages(config: Config, limits: AlertLimits, chosen: Sequence[promql.Matcher]) -> Panel:
    limit = limits.of("DriftCheckStale")
    oldest = "" if limit is None else " The line is the limit of the alert DriftCheckStale."
    return Panel(
        id=26,
        title="Time since the last check",
        description=f"Since each check last ran, and since it last decided.{oldest}",
        unit="s",
        queries=(
            Query(promql.age(CHECKED_AT, *chosen), legend_of(config, "{{check}} ran ({{model}})")),
            Query(promql.age(DECIDED_AT, *chosen), legend_of(config, "{{check}} decided ({{model}})")),
        ),
        limit=limit,
        no_value=NO_CHECK,
    )


def _above_threshold(config: Config, chosen: Sequence[promql.Matcher]) -> promql.Expr:
    score = highest(SCORE, *chosen, promql.chosen("attribute"))
    return promql.difference(score, _thresholds(config, SCORE, chosen))


def _thresholds(config: Config, of: promql.Series, chosen: Sequence[promql.Matcher]) -> promql.Expr:
    """For each column of the metric its own threshold, where the configuration names one, else its check's."""
    columns = (*chosen, promql.chosen("attribute"))
    own = {name: each.threshold for name, each in config.drift.columns.items()}
    others = (*columns, promql.none_of("attribute", sorted(own))) if own else columns
    per_check = promql.select(THRESHOLD, *chosen)
    threshold = value_of_group(promql.select(of, *others), per_check, of_part=("attribute",))
    for limit in sorted(set(own.values())):
        names = sorted(name for name in own if own[name] == limit)
        named = promql.select(of, *columns, promql.one_of("attribute", names))
        threshold = promql.either(promql.constant_for(named, limit), threshold)
    return threshold
