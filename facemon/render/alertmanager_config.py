"""alertmanager.yml: who is told of what, in which words, and what keeps silent because something worse is known."""

from collections.abc import Mapping
from typing import Any

from facemon.config.alertmanager import (
    NULL_RECEIVER,
    EmailConfig,
    ReceiverConfig,
    RouteConfig,
    SlackConfig,
    WebhookConfig,
)
from facemon.config.document import Config
from facemon.config.quantities import format_duration
from facemon.render.annotation import literal
from facemon.render.promql import one_of, quoted
from facemon.render.secret_files import seen_at

_TITLE = '[{{ .Status | toUpper }}{{ if eq .Status "firing" }} {{ .Alerts.Firing | len }}{{ end }}] '
_TITLE += "{{ .GroupLabels.alertname }}{{ with .GroupLabels.attribute }}: {{ . }}{{ end }}"
_SLACK_TEXT = """\
{{ range .Alerts }}*{{ .Labels.severity }}* {{ .Annotations.summary }}
{{ .Annotations.description }}
dashboard: {{ .Annotations.dashboard_url }}
runbook: {{ .Annotations.runbook_url }}
{{ end }}"""
_EMAIL_TEXT = """\
{{ range .Alerts }}{{ .Status }} ({{ .Labels.severity }}): {{ .Annotations.summary }}
{{ .Annotations.description }}
since: {{ .StartsAt }}
dashboard: {{ .Annotations.dashboard_url }}
runbook: {{ .Annotations.runbook_url }}
{{ end }}"""
_EMAIL_HTML = """\
{{ range .Alerts }}<p><b>{{ .Status }} ({{ .Labels.severity }}): {{ .Annotations.summary }}</b><br>
{{ .Annotations.description }}<br>
since: {{ .StartsAt }}<br>
dashboard: {{ .Annotations.dashboard_url }}<br>
runbook: {{ .Annotations.runbook_url }}</p>
{{ end }}"""


def alertmanager_config(config: Config) -> dict[str, Any]:
    """The content of `alertmanager.yml`; without receivers nobody is told, and the file is still valid."""
    settings = config.alertmanager
    names = [receiver.name for receiver in settings.receivers]
    route: dict[str, Any] = {
        "receiver": names[0] if names else NULL_RECEIVER,
        "group_by": list(settings.group_by),
        "group_wait": format_duration(settings.group_wait),
        "group_interval": format_duration(settings.group_interval),
        "repeat_interval": format_duration(settings.repeat_interval),
        # Last, so that a route of the user's own can send the Watchdog to a service that misses it.
        "routes": [*(_route(each) for each in settings.routes), _silent({"alertname": "Watchdog"})],
    }
    content: dict[str, Any] = {}
    if settings.smtp is not None:
        content["global"] = _smtp(config)
    content["route"] = route
    content["inhibit_rules"] = _inhibit_rules()
    content["receivers"] = [{"name": NULL_RECEIVER}, *(_receiver(each, config) for each in settings.receivers)]
    return content


def _smtp(config: Config) -> dict[str, Any]:
    smtp = config.alertmanager.smtp
    if smtp is None:
        return {}
    content: dict[str, Any] = {"smtp_smarthost": smtp.smarthost, "smtp_from": smtp.from_}
    if smtp.username is not None:
        content["smtp_auth_username"] = smtp.username
    if smtp.password_file is not None:
        content["smtp_auth_password_file"] = seen_at(config, smtp.password_file)
    return {**content, "smtp_require_tls": smtp.require_tls}


def _route(route: RouteConfig) -> dict[str, Any]:
    content: dict[str, Any] = {"matchers": _matchers(route.match), "receiver": route.receiver}
    return {**content, "continue": True} if route.continue_ else content


def _silent(match: Mapping[str, str]) -> dict[str, Any]:
    return {"matchers": _matchers(match), "receiver": NULL_RECEIVER}


def _matchers(match: Mapping[str, str | tuple[str, ...]]) -> list[str]:
    return [f"{label}={quoted(value)}" if isinstance(value, str) else one_of(label, value).text
            for label, value in match.items()]  # fmt: skip


def _inhibit_rules() -> list[dict[str, Any]]:
    return [
        {
            "source_matchers": ['severity="critical"'],
            "target_matchers": ['severity="warning"'],
            "equal": ["alertname", "instance"],
        },
        {
            # What a target measures is stale while it is down.
            "source_matchers": ['alertname="TargetDown"'],
            "target_matchers": ['alertname!="TargetDown"'],
            "equal": ["job", "instance"],
        },
    ]


def _receiver(receiver: ReceiverConfig, config: Config) -> dict[str, Any]:
    content: dict[str, Any] = {"name": receiver.name}
    if receiver.email:
        content["email_configs"] = [_email(email) for email in receiver.email]
    if receiver.slack:
        content["slack_configs"] = [_slack(slack, config) for slack in receiver.slack]
    if receiver.webhook:
        content["webhook_configs"] = [_webhook(webhook) for webhook in receiver.webhook]
    return content


def _email(email: EmailConfig) -> dict[str, Any]:
    return {
        "to": literal(email.to),
        "send_resolved": email.send_resolved,
        "headers": {"Subject": _TITLE},
        "text": _EMAIL_TEXT,
        "html": _EMAIL_HTML,
    }


def _slack(slack: SlackConfig, config: Config) -> dict[str, Any]:
    return {
        "api_url_file": seen_at(config, slack.api_url_file),
        "channel": literal(slack.channel),
        "send_resolved": slack.send_resolved,
        "title": _TITLE,
        "text": _SLACK_TEXT,
    }


def _webhook(webhook: WebhookConfig) -> dict[str, Any]:
    return {"url": webhook.url, "send_resolved": webhook.send_resolved}
