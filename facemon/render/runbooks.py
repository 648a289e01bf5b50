"""A page for each alert, from the alert's own numbers: what to read when it fires."""

from collections.abc import Sequence

from facemon.config.document import Config
from facemon.config.durations import format_duration
from facemon.render.alert import Alert, dashboard_url
from facemon.render.markdown import code, escaped, table


def runbook(alert: Alert, config: Config) -> str:
    """The page of one alert, in Markdown."""
    held = f", for {format_duration(alert.for_)}" if alert.for_ else ""
    address = dashboard_url(alert.dashboard, config).replace("<", "%3C").replace(">", "%3E")
    words = alert.runbook
    parts = [
        f"# {escaped(alert.name)}",
        f"**Fires** ({alert.severity}): {alert.limit}{held}.",
        words.meaning,
        *((table(words.numbers),) if words.numbers else ()),
        "## Look at",
        f"The dashboard: <{address}>",
        "What is watched:",
        code(str(alert.signal), "promql"),
        *(
            part
            for says, query in words.queries.items()
            if query != alert.signal
            for part in (says, code(str(query), "promql"))
        ),
        "The whole condition:",
        code(str(alert.expr), "promql"),
        *_list("Likely causes", words.causes),
        *_list("What to do", words.actions),
        "## Change it",
        _change(alert),
    ]
    return "\n\n".join(parts) + "\n"


def _list(title: str, items: Sequence[str]) -> tuple[str, ...]:
    return (f"## {title}", "\n".join(f"- {item}" for item in items)) if items else ()


def _change(alert: Alert) -> str:
    if alert.group == "custom":
        return "This alert is defined under `alerts.custom` in `facemon.yaml`."
    if alert.group == "objectives":
        return "This alert belongs to an objective under `alerts.objectives` in `facemon.yaml`."
    threshold = "" if alert.threshold is None else "`threshold`, "
    least = "`min_requests`, " if alert.least_requests is not None else ""
    return (
        f"`alerts.{alert.name}` in `facemon.yaml` takes {threshold}{least}`for`, `severity`, `labels`, `annotations` "
        "and `enabled`; then run `facemon render-config`."
    )
