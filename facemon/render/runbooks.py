"""A page for each alert, from the alert's own numbers: what to read when it wakes somebody."""

from collections.abc import Sequence

from facemon.config.document import Config
from facemon.config.quantities import format_duration
from facemon.render.alert import Alert, dashboard_url


def runbook(alert: Alert, config: Config) -> str:
    """The page of one alert, in Markdown."""
    held = f" for {format_duration(alert.for_)}" if alert.for_ else ""
    parts = [
        f"# {alert.name}",
        f"**Fires** ({alert.severity}): {alert.limit}{held}.",
        alert.runbook.meaning,
        "## Look at",
        f"The dashboard: <{dashboard_url(alert.dashboard, config)}>",
        _code(str(alert.signal)),
        "The whole condition:",
        _code(str(alert.expr)),
        *_list("Likely causes", alert.runbook.causes),
        *_list("What to do", alert.runbook.actions),
        "## Change it",
        _change(alert),
    ]
    return "\n\n".join(parts) + "\n"


def _code(query: str) -> str:
    # A fence longer than any run of backticks inside cannot be closed by them.
    fence = "```"
    while fence in query:
        fence += "`"
    return f"{fence}promql\n{query}\n{fence}"


def _list(title: str, items: Sequence[str]) -> tuple[str, ...]:
    return (f"## {title}", "\n".join(f"- {item}" for item in items)) if items else ()


def _change(alert: Alert) -> str:
    if alert.group == "custom":
        return "This alert stands under `alerts.custom` in `facemon.yaml`."
    threshold = "" if alert.threshold is None else "`threshold`, "
    return (
        f"`alerts.{alert.name}` in `facemon.yaml` takes {threshold}`for`, `severity`, `labels`, `annotations` "
        "and `enabled`; then run `facemon render-config`."
    )
