"""The messages that a set-up's receivers got, each as one incident's beginning or end."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.servers import Body, WebhookReceiver

FIRING, RESOLVED = "firing", "resolved"
WATCHDOG = "Watchdog"


@dataclass(frozen=True, slots=True)
class Message:
    """One notification: which alerts begin or end with it, and when it was first looked at."""

    receiver: str
    alerts: frozenset[str]
    """The names of those that it is about: of a message that something fires, those that do."""
    status: str
    labels: Mapping[str, str]
    """Those that all its alerts have in common."""
    text: str
    """What a reader sees of each alert."""
    at: float


class Mailbox:
    """What the receivers got since the beginning, in the order in which it came."""

    def __init__(self, receivers: Mapping[str, WebhookReceiver]) -> None:
        self._receivers = receivers
        self._read = dict.fromkeys(receivers, 0)
        self._messages: list[Message] = []

    def all(self) -> Sequence[Message]:
        """Every message so far."""
        for name, receiver in self._receivers.items():
            arrived = receiver.bodies
            self._messages += [_message(name, body) for body in arrived[self._read[name] :]]
            self._read[name] = len(arrived)
        return self._messages

    def since(self, place: int) -> list[Message]:
        """The messages after the first `place`, without the Watchdog's."""
        return [message for message in self.all()[place:] if message.alerts != {WATCHDOG}]


def told(messages: Iterable[Message], alert: str, status: str) -> list[Message]:
    """Those that an alert fires, or that it is over."""
    return [message for message in messages if message.status == status and alert in message.alerts]


def shown(message: Message) -> str:
    """A message as a fault shows it: what it is about."""
    hidden = ("alertname", "severity", "area")
    labels = ", ".join(f"{name}={text}" for name, text in sorted(message.labels.items()) if name not in hidden)
    return f"{' and '.join(sorted(message.alerts))} {message.status} ({labels})"


def _message(receiver: str, body: Body) -> Message:
    status = body["status"]
    # Where something fires, others of the incident may be over: Prometheus tells of them for a quarter of an hour.
    about = [alert for alert in body["alerts"] if alert["status"] == status]
    names = frozenset(alert["labels"]["alertname"] for alert in about)
    seen = [alert["annotations"] for alert in about]
    return Message(receiver, names, status, body["commonLabels"], json.dumps(seen), time.monotonic())
