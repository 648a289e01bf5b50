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
    title: MessageTemplate | None = None
    """The subject; none = as facemon writes it."""
    text: MessageTemplate | None = None
    """The whole of the mail, which then has no HTML; none = as facemon writes it, as text and HTML."""
    send_resolved: bool = True


class SlackConfig(Section):
    """A Slack receiver."""

    api_url_file: SecretFile
    channel: Name
    title: MessageTemplate | None = None
    text: MessageTemplate | None = None
    send_resolved: bool = True


class PagerDutyConfig(Section):
    """A PagerDuty receiver: the integration key of its Events API v2."""

    routing_key_file: SecretFile
    title: MessageTemplate | None = None
    send_resolved: bool = True


class TeamsConfig(Section):
    """A Microsoft Teams receiver: the address of a workflow that posts to a channel."""

    webhook_url_file: SecretFile
    title: MessageTemplate | None = None
    text: MessageTemplate | None = None
    send_resolved: bool = True


class WebhookConfig(Section):
    """A receiver that gets Alertmanager's JSON by HTTP POST; an address that is a secret is read from a file."""

    url: HttpUrl | None = None
    url_file: SecretFile | None = None
    bearer_token_file: SecretFile | None = None
    send_resolved: bool = True

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.url is None) == (self.url_file is None):
            raise ValueError("needs one of url and url_file")
        return self


class ReceiverConfig(Section):
    """A named set of ways to notify people."""

    name: Name
    email: Items[EmailConfig] = ()
    slack: Items[SlackConfig] = ()
    pagerduty: Items[PagerDutyConfig] = ()
    teams: Items[TeamsConfig] = ()
    webhook: Items[WebhookConfig] = ()

    @model_validator(mode="after")
    def _has_a_way(self) -> Self:
        if not (self.email or self.slack or self.pagerduty or self.teams or self.webhook):
            raise ValueError("has no way to notify: give it email, slack, pagerduty, teams or webhook")
        return self


class SmtpConfig(Section):
    """The server that emails leave by."""

    smarthost: Annotated[str, Field(pattern=r"^[^:\s]+:\d+$")]
    from_: EmailAddress = Field(alias="from")
    username: Name | None = None
    password_file: SecretFile | None = None
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
