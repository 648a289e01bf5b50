"""Templates of notifications: what Alertmanager can fill in is taken, and its amtool refuses what we refuse."""

from pathlib import Path

import pytest

from facemon.config.go_template import FUNCTIONS, TEMPLATES, TemplateError, checked_template
from facemon.errors import ConfigError
from facemon.render import notification_text
from facemon.render.alertmanager_config import alertmanager_config
from tests.render.configurations import config_of
from tests.servers import amtool

GOOD = (
    "plain } text }}",
    "{{ .Status }}{{- .Receiver -}} {{.ExternalURL}}",
    "{{/* a comment */}}{{- /* another\n */ -}}",
    "{{ range $i, $one := .Alerts }}{{ $i }}{{ $one.Labels.x }}{{ else }}none{{ end }}",
    "{{ with .CommonLabels.x }}{{ . }}{{ else }}{{ .Status }}{{ end }}",
    '{{ if eq .Status "firing" }}a{{ else if eq .Status "x" }}b{{ else }}c{{ end }}',
    '{{ .CommonLabels.alertname | toUpper | printf "%s-%d" "x" 3 | len }}',
    "{{ (index .Alerts 0).Labels.x }}{{ (index $.Alerts 0).GeneratorURL }}",
    '{{ range .Alerts.Firing }}{{ .StartsAt.Format "15:04" }}{{ $.Status }}{{ .Annotations.summary }}{{ end }}',
    "{{ range .Alerts }}{{ break }}{{ end }}",
    '{{ `}}` }}{{ "}}\\n\\u00e9" }}',
    "{{$x:=1}}{{$x = -2}}{{$x}}{{ with $y := .Status }}{{ $y }}{{ end }}",
    '{{ .GroupLabels.SortedPairs.Values | join " " }}{{ range .CommonLabels.SortedPairs }}{{ .Name }}{{ end }}',
    '{{ reReplaceAll "a" "b" (print .Status (not true)) }}{{ and .Status (or .Receiver 1.5) }}',
    *(f'{{{{ template "{name}" . }}}}' for name in sorted(TEMPLATES)),
    *(getattr(notification_text, name) for name in ("TITLE", "EMAIL_TEXT", "SLACK_TITLE", "SLACK_TEXT", "TEAMS_TEXT")),
)
BAD = {
    "{{": "has a {{ that no }} ends",
    "{{ }}": "has nothing where a value must be",
    "a\nb {{ .Status": "line 2 has a {{ that no }} ends",
    '{{ "abc }}': "has a {{ that no }} ends",
    "{{ end }}": "has an {{ end }} that nothing begins",
    "\n{{ if .Status }}\nx": "line 3 is the last, and a {{ if }} lacks its {{ end }}",
    "{{ else }}": "has an {{ else }} that belongs to nothing",
    "{{ if .Status }}{{ else }}{{ else }}{{ end }}": "has an {{ else }} that belongs to nothing",
    "{{ if .Status }}{{ else with .Status }}{{ end }}": "has 'with'",
    "{{ alertname }}": "labels are .CommonLabels.alertname",
    "{{ $x }}": "has the variable $x, which nothing declares",
    "{{ $x = 1 }}": "write $x := first",
    "{{ range .Alerts }}{{ $y := 1 }}{{ end }}{{ $y }}": "has the variable $y, which nothing declares",
    "{{ .Labls }}": "has .Labls; there are .Alerts, .CommonAnnotations",
    "{{ .Alerts.Fring }}": "has .Fring; there are .Firing, .Resolved",
    "{{ range .Alerts }}{{ .Lables.x }}{{ end }}": "has .Lables; there are .Annotations, .EndsAt",
    "{{ (index .Alerts 0).Label.x }}": "has .Label; there are",
    "{{ .Status.x }}": "no names below a text",
    '{{ .GroupLabels.SortedPair.Values | join " " }}': "no names below a text",
    "{{ | len }}": "has nothing where a value must be",
    '{{ "a" "b" }}': "gives a value to what is not a function",
    '{{ .Status | "x" }}': "gives a value to what is not a function",
    "{{ .CommonLabels.a toUpper }}": "gives a value to what is not a function",
    "{{ nil }}": "gives a value to what is not a function",
    "{{ (.Status }}": "has a ( that no ) ends",
    "{{ .Status) }}": "has ')'",
    '{{ print"a" }}': "without a space before it",
    "{{ range$i, $x := .Alerts }}{{ end }}": "without a space before it",
    "{{ if }}x{{ end }}": "has nothing where a value must be",
    '{{ template "nix" . }}': "names the template 'nix'; Alertmanager has __alertmanager",
    "{{ $a, $b := .Alerts }}": "has a comma, which only range can have",
    "{{ 1a }}": "has '1a'",
    "{{ .Status @ }}": "has '@'",
    "{{ break }}": "has {{ break }}, which cannot be here",
    "{{ if .Status }}{{ end x }}": "has 'x'",
    '{{ "\\q" }}': "which no template can have there",
    "{{- /* c */ }}": "which no template can have there",
}


@pytest.mark.parametrize("text", GOOD)
def test_what_alertmanager_can_fill_in_is_taken(text: str) -> None:
    assert checked_template(text) == text


@pytest.mark.parametrize("text", BAD)
def test_what_it_could_not_fill_in_is_refused_with_the_line(text: str) -> None:
    with pytest.raises(TemplateError, match=r"^line \d+ ") as caught:
        checked_template(text)
    assert BAD[text] in str(caught.value)


def _judged(tools: Path, text: str) -> bool:
    """Whether amtool fills it in, with the templates that each Alertmanager brings."""
    templates = tools / "usr/share/prometheus/alertmanager/*.tmpl"
    return (
        amtool(tools, "template", "render", f"--template.glob={templates}", f"--template.text={text}").returncode == 0
    )


@pytest.mark.servers
def test_amtool_fills_in_what_is_taken(each_generation: Path) -> None:
    calls = "".join(f'{{{{ if false }}}}{{{{ {name} "a" "b" "c" }}}}{{{{ end }}}}' for name in sorted(FUNCTIONS))
    assert checked_template(calls) == calls
    scoped = "".join(f"{{{{ if true }}}}{text}{{{{ end }}}}" for text in GOOD)
    assert _judged(each_generation, scoped + calls)


@pytest.mark.servers
def test_amtool_refuses_what_is_refused(servers: Path) -> None:
    """So that nothing is refused that works."""
    assert [text for text in BAD if _judged(servers, text)] == []


WAYS = """
alertmanager:
  smtp: {{smarthost: "m:25", from: a@b.example}}
  receivers:
    - name: team
      email: [{{to: a@b.example, title: {title}, text: {text}}}]
      slack: [{{api_url_file: s, channel: c, title: {title}, text: {text}}}]
      pagerduty: [{{routing_key_file: s, title: {title}}}]
      teams: [{{webhook_url_file: s, title: {title}, text: {text}}}]
"""


def test_titles_and_texts_are_rendered_as_they_are_set() -> None:
    title, text = "{{ .Status }}: {{ .CommonLabels.incident }}", "{{ len .Alerts }} alerts"
    config = config_of(WAYS.format(title=f"'{title}'", text=f"'{text}'"))
    team = alertmanager_config(config)["receivers"][1]
    email, slack, pagerduty, teams = (team[f"{way}_configs"][0] for way in ("email", "slack", "pagerduty", "msteamsv2"))
    assert (email["headers"], email["text"], email["html"]) == ({"Subject": title}, text, "")
    assert (slack["title"], slack["fallback"], slack["text"]) == (title, title, text)
    assert pagerduty["description"] == title
    assert (teams["title"], teams["text"]) == (title, text)


def test_a_bad_text_is_an_error_with_its_place() -> None:
    with pytest.raises(ConfigError) as caught:
        config_of(WAYS.format(title="'{{ .Satus }}'", text='"fine\\n{{ if .Status }}"'))
    for way in ("email", "slack", "teams"):
        assert f"receivers[0].{way}[0].title: line 1 has .Satus; there are" in caught.value.message
        assert f"receivers[0].{way}[0].text: line 2 is the last, and a {{{{ if }}}} lacks" in caught.value.message
    assert "receivers[0].pagerduty[0].title: line 1 has .Satus" in caught.value.message
