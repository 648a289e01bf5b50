"""The words of notifications: Go templates that Alertmanager fills in, for each way in which people are told.

What is filled in may hold anything. Alertmanager escapes the HTML of an email and the JSON of every other way by
itself; what is special to Slack is escaped here.
"""

TITLE = (
    '[{{ .Status | toUpper }}{{ if eq .Status "firing" }} {{ .Alerts.Firing | len }}{{ end }}] '
    "{{ with .CommonLabels.alertname }}{{ . }}{{ else }}several alerts{{ end }}"
    "{{ with .CommonLabels.attribute }}: {{ . }}{{ end }}"
    "{{ with .CommonLabels.source }}: {{ . }}{{ end }}"
)
"""A line: firing (how many) or resolved, which alert, which attribute, which source."""

FIRST_DASHBOARD = "{{ (index .Alerts 0).Annotations.dashboard_url }}"
FIRST_RUNBOOK = (
    '{{ with (index .Alerts 0).Annotations.runbook_url }}{{ if match "^https?://" . }}{{ . }}{{ end }}{{ end }}'
)
"""Empty where the runbooks are not published, and the address is a path."""

PAGERDUTY_SEVERITY = (
    '{{ with .CommonLabels.severity }}{{ if eq . "none" }}info{{ else }}{{ . }}{{ end }}{{ else }}error{{ end }}'
)
"""PagerDuty knows critical, error, warning and info, and refuses the rest; a mixed group is an error."""

_TIME = '.UTC.Format "2006-01-02 15:04:05 MST"'
_UNTIL = f'{{{{ if eq .Status "resolved" }}}}, until {{{{ .EndsAt{_TIME} }}}}{{{{ end }}}}'
_LINE, _BREAK, _EMPTY_LINE = "\n", "<br>\n", "\n\n"
_SINCE = f"since {{{{ .StartsAt{_TIME} }}}}{_UNTIL}"


def _labels(end: str, shown: str = "{{ . }}") -> str:
    """The attribute and the source of an alert, whichever it has, each followed by `end`."""
    names = ("attribute", "source")
    return "".join(f"{{{{ with .Labels.{name} }}}}{name}: {shown}{end}{{{{ end }}}}" for name in names)


EMAIL_TEXT = f"""\
{{{{ range .Alerts }}}}{{{{ .Status }}}} ({{{{ .Labels.severity }}}}): {{{{ .Annotations.summary }}}}
{{{{ .Annotations.description }}}}
{_labels(_LINE)}{_SINCE}
dashboard: {{{{ .Annotations.dashboard_url }}}}
runbook: {{{{ .Annotations.runbook_url }}}}

{{{{ end }}}}"""


def _html_link(name: str) -> str:
    url = f".Annotations.{name}_url"
    link = f'<a href="{{{{ {url} }}}}">{{{{ {url} }}}}</a>'
    return f'{name}: {{{{ if match "^https?://" {url} }}}}{link}{{{{ else }}}}{{{{ {url} }}}}{{{{ end }}}}'


EMAIL_HTML = f"""\
{{{{ range .Alerts }}}}<p><b>{{{{ .Status }}}} ({{{{ .Labels.severity }}}}): {{{{ .Annotations.summary }}}}</b><br>
{{{{ .Annotations.description }}}}<br>
{_labels(_BREAK)}{_SINCE}<br>
{_html_link("dashboard")}<br>
{_html_link("runbook")}</p>
{{{{ end }}}}"""


def _slack(expression: str) -> str:
    """The text with the three characters escaped that Slack reads as its own."""
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        expression = f'(reReplaceAll "{char}" "{entity}" {expression})'
    return f"{{{{ {expression[1:-1]} }}}}"


def _slack_link(name: str) -> str:
    url = f".Annotations.{name}_url"
    link = f"<{_slack(url)}|{name}>"
    return f'{{{{ if match "^https?://" {url} }}}}{link}{{{{ else }}}}{name}: {_slack(url)}{{{{ end }}}}'


SLACK_TITLE = TITLE.replace("{{ . }}", _slack("."))
SLACK_TEXT = f"""\
{{{{ range .Alerts }}}}*{{{{ .Status }}}}* ({{{{ .Labels.severity }}}}): {_slack(".Annotations.summary")}
{_slack(".Annotations.description")}
{_labels(_LINE, _slack("."))}{_slack_link("dashboard")} · {_slack_link("runbook")}
{{{{ end }}}}"""


def _teams_link(name: str) -> str:
    url = f".Annotations.{name}_url"
    link = f"[{name}]({{{{ {url} }}}})"
    return f'{{{{ if match "^https?://" {url} }}}}{link}{{{{ else }}}}{name}: {{{{ {url} }}}}{{{{ end }}}}'


TEAMS_TEXT = f"""\
{{{{ range .Alerts }}}}**{{{{ .Status }}}}** ({{{{ .Labels.severity }}}}): {{{{ .Annotations.summary }}}}

{{{{ .Annotations.description }}}}

{_labels(_EMPTY_LINE)}{_teams_link("dashboard")} · {_teams_link("runbook")}

{{{{ end }}}}"""
"""Adaptive cards read Markdown, in which a line ends with an empty one."""


def pagerduty_details(status: str) -> str:
    """What PagerDuty shows of the alerts of a group that are `Firing` or `Resolved`.

    Alertmanager 0.33 reads a text that is valid YAML as such, and each text in it as another template: a name with two
    braces would keep PagerDuty from being told. No YAML begins with a tab.
    """
    return f"""\
{{{{ range .Alerts.{status} }}}}\t{{{{ .Annotations.summary }}}}: {{{{ .Annotations.description }}}}
{_labels(_LINE)}dashboard: {{{{ .Annotations.dashboard_url }}}}
runbook: {{{{ .Annotations.runbook_url }}}}
{{{{ end }}}}"""
