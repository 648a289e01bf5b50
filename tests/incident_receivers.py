"""Everybody who is told while incidents are played: web hooks and a mail server, and what each of them heard."""

import re
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from tests.mail_sink import MailSink
from tests.patience import HANG_S
from tests.servers import WebhookReceiver

_TITLE = re.compile(r"\[(FIRING|RESOLVED)[ \d]*\] (\w+)")


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification as a receiver got it, and when."""

    receiver: str
    alert: str
    status: str
    at: float


class Ears:
    """Everything that listens: web hooks for most receivers, and a mail server."""

    def __init__(self, receivers: Iterable[str], stack: ExitStack) -> None:
        self._mail = stack.enter_context(MailSink())
        names = [name for name in receivers if name != "mail"]
        self.hooks = {name: stack.enter_context(WebhookReceiver()) for name in names}
        self._seen: list[Notice] = []
        self._counted = dict.fromkeys((*names, "mail"), 0)

    def addresses(self, *, newer: bool) -> dict[str, str]:
        places = {name.replace(" ", "_"): hook.url for name, hook in self.hooks.items()}
        teams = "teams: [{webhook_url_file: secrets/objectives}]"
        plain = f'webhook: [{{url: "{self.hooks["objectives"].url}"}}]'
        return {**places, "mail": self._mail.address, "objectives": teams if newer else plain}

    def refuses(self, yes: bool) -> None:
        self.hooks["refusing"].answers = 400 if yes else 200

    def notices(self) -> list[Notice]:
        """What has arrived; a notice's time is when it was first looked at, a few milliseconds late."""
        arrived = {name: [_read(body) for body in hook.bodies] for name, hook in self.hooks.items()}
        arrived["mail"] = [_titled(message["Subject"]) for message in self._mail.arrived]
        for name, found in arrived.items():
            now = time.monotonic()
            self._seen += [Notice(name, alert, status, now) for alert, status in found[self._counted[name] :]]
            self._counted[name] = len(found)
        return list(self._seen)

    def wait_for(
        self, status: str, alerts: frozenset[str], *, since: float, timeout_s: float = HANG_S
    ) -> dict[str, tuple[str, float]]:
        """The receiver and the time of the first notice of each alert since then."""
        deadline = time.monotonic() + timeout_s
        while True:
            found: dict[str, tuple[str, float]] = {}
            for notice in self.notices():
                if notice.status == status and notice.alert in alerts and notice.at >= since:
                    found.setdefault(notice.alert, (notice.receiver, notice.at))
            if len(found) == len(alerts):
                return found
            if time.monotonic() > deadline:
                raise TimeoutError(f"{status} within {timeout_s} s: not {', '.join(sorted(alerts - set(found)))}")
            time.sleep(0.02)


def _read(body: Mapping[str, object]) -> tuple[str, str]:
    """The alert and its status in what a web hook was sent: Alertmanager's own JSON, or a chat's or a pager's."""
    match body:
        case {"groupLabels": {"alertname": str(alert)}, "status": str(status)}:
            return alert, status
        case {"attachments": [{"title": str(title)}]} | {"payload": {"summary": str(title)}}:
            return _titled(title)
        case {"attachments": [{"content": {"body": [{"text": str(title)}, *_]}}]}:
            return _titled(title)
    raise ValueError(f"not understood: {body}")


def _titled(title: str) -> tuple[str, str]:
    match = _TITLE.match(title)
    if match is None:
        raise ValueError(f"not understood: {title}")
    return match[2], match[1].lower()
