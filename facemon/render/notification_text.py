"""The words of notifications: Go templates that Alertmanager fills in, for each way in which people are told.

One message is about one incident, which may be many alerts: it names the columns, the worst first, and the sources,
and describes only the first alert of each name. What is filled in may hold anything. Alertmanager escapes the HTML of
an email and the JSON of every other way by itself; what is special to Slack is escaped here.
"""

from collections.abc import Callable
from dataclasses import dataclass

from facemon.render.go_action import action, each, when
from facemon.render.notification_summary import COLLECTED, TOLD, columns_text, first_of_name, sources_text, title

_FIRST = "(index .Alerts 0)"
_IS_ADDRESS = 'match "^https?://"'

FIRST_DASHBOARD = action(f"{_FIRST}.Annotations.dashboard_url")
FIRST_QUERY = action(f"{_FIRST}.GeneratorURL")
FIRST_RUNBOOK = when(
    f'{_IS_ADDRESS} (or {_FIRST}.Annotations.runbook_url "")', action(f"{_FIRST}.Annotations.runbook_url")
)
"""Empty where the runbooks are not published, and the address is a path."""

PAGERDUTY_SEVERITY = "".join([
    action('$worst := "info"'),
    each(TOLD, "".join([
        action('$own := or .Labels.severity "error"'),
        when(
            'eq $own "critical"', action("$worst = $own"),
            when(
                'eq $own "warning"', when('eq $worst "info"', action("$worst = $own")),
                when('and (ne $own "info") (ne $own "none") (ne $worst "critical")', action('$worst = "error"')),
            ),
        ),
    ])),
    action("$worst"),
])  # fmt: skip
"""The worst of the group; PagerDuty knows critical, error, warning and info, and refuses the rest."""

_TIME = '.UTC.Format "2006-01-02 15:04:05 MST"'
_SINCE = f"since {action(f'.StartsAt{_TIME}')}" + when(
    'eq .Status "resolved"', f", until {action(f'.EndsAt{_TIME}')}"
)  # fmt: skip
_QUOTED = r'reReplaceAll `(["\\])` `\$1` $pair.Value'
"""The value of a label as a matcher of Alertmanager writes it."""


def _silence_url(value: str) -> str:
    """The page of Alertmanager that silences the group."""
    pair = f"{when('$i', '%2C')}{action('$pair.Name')}%3D%22{action(value)}%22"
    pairs = each("$i, $pair := .GroupLabels.SortedPairs", pair)
    return f"{action('.ExternalURL')}/#/silences/new?filter=%7B{pairs}%7D"


@dataclass(frozen=True, slots=True)
class _Style:
    """How a way ends lines and paragraphs, shows an expression, makes a heading and links to an address."""

    end: str = "\n"
    shown: Callable[[str], str] = action
    heading: str = "{}: {}"
    link: str = "{name}: {url}"
    between: str = "\n"
    """Between two links."""
    silence: str = _silence_url(f'{_QUOTED} | urlquery | reReplaceAll "[+]" "%20"')
    paragraph: str = "{}\n"

    def address(self, name: str, expression: str) -> str:
        """A link, if it is an address: a runbook that is not published is a path."""
        shown = self.shown(expression)
        return when(f"{_IS_ADDRESS} {expression}", self.link.format(name=name, url=shown), f"{name}: {shown}")


def _facts(style: _Style) -> str:
    """The columns, the sources and the model, each on a line, as far as the alerts have them."""
    shown, end = style.shown, style.end
    return "".join([
        when("$n", f"columns{when('$x', ', worst first')}: {columns_text(shown)}{end}"),
        when("$m", f"sources: {sources_text(shown)}{end}"),
        when(".CommonLabels.model", f"model: {shown('.CommonLabels.model')}{end}"),
    ])  # fmt: skip


def _alert(style: _Style) -> str:
    """What happened, since when, the next command and the runbook."""
    shown, end = style.shown, style.end
    status = f"{action('.Status')} ({action('.Labels.severity')})"
    return "".join([
        style.heading.format(status, shown(".Annotations.summary")) + end,
        shown(".Annotations.description") + end,
        _SINCE + end,
        when(".Annotations.next_command", f"next: {shown('.Annotations.next_command')}{end}"),
        when(".Annotations.runbook_url", style.address("runbook", ".Annotations.runbook_url") + end),
    ])  # fmt: skip


def _links(style: _Style) -> str:
    """The dashboard, the query in Prometheus, and the page that silences the group."""
    dashboard, query = f"{_FIRST}.Annotations.dashboard_url", f"{_FIRST}.GeneratorURL"
    return "".join([
        when(dashboard, style.address("dashboard", dashboard) + style.between),
        when(query, style.address("query", query) + style.between),
        style.link.format(name="silence", url=style.silence) + style.end,
    ])  # fmt: skip


def _body(style: _Style, alerts: str = ".Alerts") -> str:
    """The facts of the group, the alerts, and the links."""
    facts = when("or $n $m .CommonLabels.model", style.paragraph.format(_facts(style)))
    told = first_of_name(alerts, style.paragraph.format(_alert(style)))
    return f"{COLLECTED}{facts}{told}{_links(style)}"


def _slack(expression: str) -> str:
    """The text with the three characters escaped that Slack reads as its own."""
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        expression = f'(reReplaceAll "{char}" "{entity}" {expression})'
    return action(expression[1:-1])


TITLE = title(action)
EMAIL_TEXT = _body(_Style())
EMAIL_HTML = _body(
    _Style(
        end="<br>\n",
        heading="<b>{}: {}</b>",
        link='<a href="{url}">{name}</a>',
        between=" · ",
        silence=_silence_url(_QUOTED),  # html/template writes it as a part of an address
        paragraph="<p>{}</p>\n",
    )
)
SLACK_TITLE = title(_slack)
SLACK_TEXT = _body(_Style(shown=_slack, heading="*{}*: {}", link="<{url}|{name}>", between=" · "))
TEAMS_TEXT = _body(_Style(end="\n\n", heading="**{}**: {}", link="[{name}]({url})", between=" · ", paragraph="{}"))
"""Adaptive cards read Markdown, in which a line ends with an empty one."""


def pagerduty_details(status: str) -> str:
    """What PagerDuty shows of the alerts of a group that are `Firing` or `Resolved`.

    Alertmanager 0.33 reads a text that is valid YAML as such, and each text in it as another template: a name with two
    braces would keep PagerDuty from being told. No YAML begins with a tab.
    """
    alerts = f".Alerts.{status}"
    return when(alerts, f"\t{_body(_Style(), alerts)}")
