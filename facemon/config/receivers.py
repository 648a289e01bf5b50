"""Receivers in the alertmanager section: the ways to notify people, and the server that sends email."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from facemon.config.quantities import HttpUrl, Items, Name, SecretFile
from facemon.config.section import MisfitError, Section

_IMPLICIT_TLS_PORT = "465"
_HIGHEST_PORT = 65535


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError(f"{text!r} is not an email address: write one like team@example.com")
    return text


def _template(text: str) -> str:
    from facemon.config.go_template import checked_template

    return checked_template(text)


_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(\.[\w-]+)*", re.ASCII)
MessageTemplate = Annotated[str, Field(min_length=1, max_length=20_000), AfterValidator(_template)]
"""A text of a notification as a Go template."""
EmailAddress = Annotated[str, Field(max_length=254), AfterValidator(_address)]


class EmailConfig(Section):
    """An email receiver; the server is `alertmanager.smtp`."""

    to: EmailAddress
    """The address of the recipient."""
    title: MessageTemplate | None = None
    """The subject; none = as facemon writes it."""
    text: MessageTemplate | None = None
    """The whole of the mail, which then has no HTML; none = as facemon writes it, as text and HTML."""
    send_resolved: bool = True
    """Whether the end of an alert is told, too."""


class SlackConfig(Section):
    """A Slack receiver."""

    api_url_file: SecretFile
    """The file that holds the address of Slack's incoming webhook."""
    channel: Name
    """The channel or the user, e.g. "#alerts"."""
    title: MessageTemplate | None = None
    """The title as a Go template; unset = as facemon writes it."""
    text: MessageTemplate | None = None
    """The text below it as a Go template; unset = as facemon writes it."""
    send_resolved: bool = True
    """Whether the end of an alert is told, too."""


class PagerDutyConfig(Section):
    """A PagerDuty receiver: the integration key of its Events API v2."""

    routing_key_file: SecretFile
    """The file that holds the integration key."""
    title: MessageTemplate | None = None
    """The title as a Go template; unset = as facemon writes it."""
    send_resolved: bool = True
    """Whether the end of an alert is told, too."""


class TeamsConfig(Section):
    """A Microsoft Teams receiver: the address of a workflow that posts to a channel."""

    webhook_url_file: SecretFile
    """The file that holds the address of the workflow."""
    title: MessageTemplate | None = None
    """The title as a Go template; unset = as facemon writes it."""
    text: MessageTemplate | None = None
    """The text below it as a Go template; unset = as facemon writes it."""
    send_resolved: bool = True
    """Whether the end of an alert is told, too."""


class WebhookConfig(Section):
    """A receiver that gets Alertmanager's JSON by HTTP POST; an address that is a secret is read from a file."""

    url: HttpUrl | None = None
    """The address; this or `url_file`."""
    url_file: SecretFile | None = None
    """The file that holds the address."""
    bearer_token_file: SecretFile | None = None
    """The file that holds a token, which is sent with each request."""
    send_resolved: bool = True
    """Whether the end of an alert is told, too."""

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.url is None) == (self.url_file is None):
            raise ValueError("needs one of url and url_file")
        return self


class ReceiverConfig(Section):
    """A named set of ways to notify people."""

    name: Name
    """The name by which routes choose it."""
    email: Items[EmailConfig] = ()
    """Messages by email."""
    slack: Items[SlackConfig] = ()
    """Messages in Slack."""
    pagerduty: Items[PagerDutyConfig] = ()
    """Incidents of PagerDuty."""
    teams: Items[TeamsConfig] = ()
    """Messages in Microsoft Teams."""
    webhook: Items[WebhookConfig] = ()
    """Requests to a server of your own."""

    @model_validator(mode="after")
    def _has_a_way(self) -> Self:
        if not (self.email or self.slack or self.pagerduty or self.teams or self.webhook):
            raise ValueError("has no way to notify: give it email, slack, pagerduty, teams or webhook")
        return self


class SmtpConfig(Section):
    """The server that emails leave by."""

    smarthost: Annotated[str, Field(pattern=r"^[^:\s]+:\d+$")]
    """HOST:PORT of the mail server."""
    from_: EmailAddress = Field(alias="from")
    """The address of the sender."""
    username: Name | None = None
    """The user at the mail server, with `password_file`; unset = none."""
    password_file: SecretFile | None = None
    """The file that holds the user's password."""
    require_tls: bool = True
    """Refuse to send before STARTTLS; on port 465 TLS begins with the connection, whatever this says."""

    @property
    def implicit_tls(self) -> bool:
        """Whether Alertmanager opens the connection with TLS, which it does for exactly this port."""
        return self.smarthost.rpartition(":")[2] == _IMPLICIT_TLS_PORT

    @model_validator(mode="after")
    def _port_exists(self) -> Self:
        port = self.smarthost.rpartition(":")[2]
        # Alertmanager compares the port as text: it would take 0465 for a port without implicit TLS.
        if port.startswith("0") or int(port[:6]) > _HIGHEST_PORT:
            fault = "must name a port from 1 to 65535, without a leading zero"
            raise MisfitError((("smarthost",), fault))
        return self

    @model_validator(mode="after")
    def _a_user_has_a_password(self) -> Self:
        if (self.username is None) != (self.password_file is None):
            raise ValueError("username and password_file come together: the server asks for both or for neither")
        return self
