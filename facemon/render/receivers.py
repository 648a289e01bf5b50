"""The receivers of alertmanager.yml: by which ways people are told, with every secret as a file."""

from typing import Any

from facemon.config.document import Config
from facemon.config.receivers import (
    EmailConfig,
    PagerDutyConfig,
    ReceiverConfig,
    SlackConfig,
    SmtpConfig,
    TeamsConfig,
    WebhookConfig,
)
from facemon.render import notification_text as text
from facemon.render.annotation import literal
from facemon.render.secret_files import seen_at

_BRACES = str.maketrans({"{": "%7B", "}": "%7D"})


def receiver(settings: ReceiverConfig, config: Config) -> dict[str, Any]:
    """A receiver with all its ways."""
    ways = {
        "email_configs": [_email(each) for each in settings.email],
        "slack_configs": [_slack(each, config) for each in settings.slack],
        "pagerduty_configs": [_pagerduty(each, config) for each in settings.pagerduty],
        "msteamsv2_configs": [_teams(each, config) for each in settings.teams],
        "webhook_configs": [_webhook(each, config) for each in settings.webhook],
    }
    return {"name": settings.name, **{way: entries for way, entries in ways.items() if entries}}


def smtp(settings: SmtpConfig, config: Config) -> dict[str, Any]:
    """The mail server, as the `global` section names it."""
    content: dict[str, Any] = {"smtp_smarthost": settings.smarthost, "smtp_from": literal(settings.from_)}
    if settings.username is not None:
        content["smtp_auth_username"] = settings.username
    if settings.password_file is not None:
        content["smtp_auth_password_file"] = seen_at(config, settings.password_file)
    # On a connection that is TLS from its start no server offers STARTTLS, and Alertmanager 0.25 would ask for it.
    return {**content, "smtp_require_tls": settings.require_tls and not settings.implicit_tls}


def _email(email: EmailConfig) -> dict[str, Any]:
    return {
        "to": literal(email.to),
        "send_resolved": email.send_resolved,
        "headers": {"Subject": email.title or text.TITLE},
        "text": email.text or text.EMAIL_TEXT,
        # Mail programs show the HTML, if there is any, and hide the text.
        "html": "" if email.text else text.EMAIL_HTML,
    }


def _slack(slack: SlackConfig, config: Config) -> dict[str, Any]:
    return {
        "api_url_file": seen_at(config, slack.api_url_file),
        "channel": literal(slack.channel),
        "send_resolved": slack.send_resolved,
        "title": slack.title or text.SLACK_TITLE,
        "title_link": text.FIRST_DASHBOARD,
        "fallback": slack.title or text.SLACK_TITLE,
        "text": slack.text or text.SLACK_TEXT,
    }


def _pagerduty(pagerduty: PagerDutyConfig, config: Config) -> dict[str, Any]:
    return {
        "routing_key_file": seen_at(config, pagerduty.routing_key_file),
        "send_resolved": pagerduty.send_resolved,
        "description": pagerduty.title or text.TITLE,
        "severity": text.PAGERDUTY_SEVERITY,
        "client": "facemon",
        "client_url": text.FIRST_DASHBOARD,
        "links": [
            {"href": text.FIRST_DASHBOARD, "text": "dashboard"},
            {"href": text.FIRST_RUNBOOK, "text": "runbook"},
            {"href": text.FIRST_QUERY, "text": "query"},
        ],
        "details": {"firing": text.pagerduty_details("Firing"), "resolved": text.pagerduty_details("Resolved")},
    }


def _teams(teams: TeamsConfig, config: Config) -> dict[str, Any]:
    return {
        "webhook_url_file": seen_at(config, teams.webhook_url_file),
        "send_resolved": teams.send_resolved,
        "title": teams.title or text.TITLE,
        "text": teams.text or text.TEAMS_TEXT,
    }


def _webhook(webhook: WebhookConfig, config: Config) -> dict[str, Any]:
    content: dict[str, Any] = {"send_resolved": webhook.send_resolved}
    if webhook.url is not None:
        # An address is a template from Alertmanager 0.31 on and was none before: this is the same in both.
        content["url"] = webhook.url.translate(_BRACES)
    if webhook.url_file is not None:
        content["url_file"] = seen_at(config, webhook.url_file)
    if webhook.bearer_token_file is not None:
        token_file = seen_at(config, webhook.bearer_token_file)
        content["http_config"] = {"authorization": {"credentials_file": token_file}}
    return content
