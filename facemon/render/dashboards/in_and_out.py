"""A panel of bytes that come in and go out."""

from collections.abc import Sequence

from facemon.render import promql
from facemon.render.dashboards.panel import Panel, Query


def in_and_out(
    number: int,
    title: str,
    description: str,
    incoming: tuple[str, promql.Series],
    outgoing: tuple[str, promql.Series],
    matchers: Sequence[promql.Matcher],
    *,
    by: str,
) -> Panel:
    """Two counters of bytes, each with its word, as rates summed up over all but the label `by`.

    What goes out is drawn below the axis, so that both stay distinct however many there are.
    """
    queries = tuple(
        Query(
            promql.aggregate("sum", promql.rate(metric, promql.RATE_INTERVAL, *matchers), by=(by,)),
            f"{word} {{{{{by}}}}}",
        )
        for word, metric in (incoming, outgoing)
    )
    downwards = f"^{outgoing[0]} "
    return Panel(id=number, title=title, description=description, unit="Bps", queries=queries, downwards=downwards)
