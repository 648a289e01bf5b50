"""What `facemon init` asks on a terminal, and how each answer is judged at once.

Nothing is printed or read here: a function is given that asks a question until its answer passes a check.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from facemon.application.first_configuration import NetworkRequest, first_configuration
from facemon.errors import UsageError

T = TypeVar("T")
Way = Literal["email", "slack", "pagerduty", "teams"]
Monitoring = Literal["containers", "existing"]

_BUILT_IN = "age-gender"
API = "api"
_NONE = "none"
_USUAL_IMAGES = "photos/"
_USUAL_TEXTFILES = "/var/lib/prometheus/node-exporter"
"""Of Debian's package."""
TEXTFILE = "facemon.prom"
_UNKNOWN = "unknown"
_MOST_IMAGES = 1_000_000_000
_SECRETS: dict[Way, tuple[str, str]] = {
    "slack": ("File with the address of Slack's webhook", "secrets/slack_url"),
    "pagerduty": ("File with PagerDuty's integration key (Events API v2)", "secrets/pagerduty_key"),
    "teams": ("File with the address of Teams' workflow", "secrets/teams_url"),
}


class Ask(Protocol):
    """Asks a question, which an empty line answers by the default, until the check raises no FacemonError."""

    def __call__(self, question: str, default: str, check: Callable[[str], T]) -> T:
        """Return what the check makes of the answer."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who is told of alerts, by the keys that the configuration has for it."""

    way: Way
    keys: dict[str, Any]
    """Of the way, such as `{"to": "team@example.com"}`."""
    smtp: dict[str, Any] | None = None
    """`alertmanager.smtp`, for email."""
    secret: str | None = None
    """The file that is to hold a secret."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered; the defaults are those of a file that is written without questions."""

    network: NetworkRequest | None = None
    """None for the built-in bundle."""
    images: str = _USUAL_IMAGES
    """A folder or an address of object storage; `api` for requests over HTTP."""
    images_per_day: int | None = None
    receiver: Receiver | None = None
    monitoring: Monitoring | None = None
    """None where Prometheus does not run yet."""
    prometheus_url: str | None = None
    """Of an existing Prometheus."""
    textfiles: str | None = None
    """The folder of textfiles that its node-exporter reads."""


def ask_answers(ask_freely: Ask, folder: Path) -> Answers:
    """Ask for what a configuration in `folder` is to say."""

    def ask(question: str, default: str, check: Callable[[str], T]) -> T:
        return ask_freely(question, default, lambda text: check(_text(text)))

    network = ask("Model: age-gender, or the path of an ONNX file", _BUILT_IN, lambda text: _network(text, folder))
    if network is not None:
        question, model = "Face detector: the path of an ONNX file, or none: each image is one face", network.model
        network = ask(question, _NONE, lambda text: _with_finder(model, text, folder))
    images = ask("Images: a folder, an address (s3://bucket/photos/), or api", _USUAL_IMAGES, _images)
    rate = ask("Images a day", _UNKNOWN, _rate)
    way = ask("Alerts go to: a mail address, slack, pagerduty, teams, or none", _NONE, _way)
    receiver = None if way is None else _receiver(ask, *way)
    question = "Prometheus: containers (facemon writes them), existing, or none yet"
    monitoring = ask(question, _NONE, _monitoring)
    url = textfiles = None
    if monitoring == "existing":
        url = ask("Address of Prometheus", "http://localhost:9090", _url)
        if images != API:
            textfiles = ask("Textfile folder of node-exporter", _USUAL_TEXTFILES, _textfiles)
    return Answers(network, images, rate, receiver, monitoring, url, textfiles)


def _receiver(ask: Ask, way: Way, address: str) -> Receiver:
    if way == "email":
        domain = address.rpartition("@")[2]
        host = ask("Mail server", f"smtp.{domain}:587", _of_smtp("smarthost", {"from": address}))
        sender = ask("Sender", f"facemon@{domain}", _of_smtp("from", {"smarthost": host}))
        user = ask("User at the mail server, or none", _NONE, _text_or_none)
        smtp = {"smarthost": host, "from": sender}
        if user is None:
            return Receiver(way, {"to": address}, smtp)
        file = ask("File with the password", "secrets/smtp_password", _secret_file)
        return Receiver(way, {"to": address}, {**smtp, "username": user, "password_file": file}, file)
    question, usual = _SECRETS[way]
    file = ask(question, usual, _secret_file)
    match way:
        case "slack":
            channel = ask("Channel", "#alerts", _text)
            return Receiver(way, {"api_url_file": file, "channel": channel}, secret=file)
        case "pagerduty":
            return Receiver(way, {"routing_key_file": file}, secret=file)
        case "teams":
            return Receiver(way, {"webhook_url_file": file}, secret=file)


def _network(text: str, folder: Path) -> NetworkRequest | None:
    """The network to describe, which is opened: what cannot be described is said at once."""
    from facemon.config.builtin_bundles import bundle_names
    from facemon.near_names import did_you_mean

    if text in bundle_names():
        return None
    request = NetworkRequest(Path(text))
    if not request.model.exists() and request.model.suffix != ".onnx":
        hint = did_you_mean(text, bundle_names(), f"answer {' or '.join(bundle_names())}, or name a file that is there")
        raise UsageError(f"{text}: is neither a built-in model nor a file", hint)
    first_configuration(request, folder)
    return request


def _with_finder(model: Path, text: str, folder: Path) -> NetworkRequest:
    if text == _NONE:
        return NetworkRequest(model)
    request = NetworkRequest(model, Path(text))
    first_configuration(request, folder)
    return request


def _images(text: str) -> str:
    from facemon.local_path import url_scheme
    from facemon.object_storage.location import is_location, parse_location

    if text == API:
        return text
    if is_location(text):
        return parse_location(text).url
    if (scheme := url_scheme(text)) is not None:
        raise UsageError(f"{scheme}:// is not read from", "name a folder, or an address that begins with s3, gs or az")
    return _text(text)


def _rate(text: str) -> int | None:
    if text == _UNKNOWN:
        return None
    digits = re.sub(r"(?<=\d)[,_ ](?=\d{3})", "", text)
    if not re.fullmatch(r"\d{1,10}", digits) or not 0 < int(digits) <= _MOST_IMAGES:
        raise UsageError(f"{text} is not a number of images", f"answer a number such as 2000, or {_UNKNOWN}")
    return int(digits)


def _way(text: str) -> tuple[Way, str] | None:
    match text.lower():
        case "none":
            return None
        case "slack" | "pagerduty" | "teams" as way:
            return way, ""
    return "email", _valid("alertmanager", {"smtp": {"smarthost": "h:25", "from": text}}, text)


def _text(text: str) -> str:
    from facemon.application.given_values import refuse_unusable

    refuse_unusable({"answer": text})
    if not text.isprintable():
        raise UsageError("the answer holds a character that cannot be seen", "type it again")
    return text


def _text_or_none(text: str) -> str | None:
    return None if text == _NONE else _text(text)


def _secret_file(text: str) -> str:
    smtp = {"smarthost": "h:25", "from": "a@b", "username": "u", "password_file": text}
    return _valid("alertmanager", {"smtp": smtp}, text)


def _textfiles(text: str) -> str:
    folder = text.rstrip("/")
    if not folder.startswith("/"):
        raise UsageError(f"{text} is not the absolute path of a folder", f"answer a path like {_USUAL_TEXTFILES}")
    return _valid("schedule", {"targets": ["cron"], "export": {"textfile": f"{folder}/{TEXTFILE}"}}, folder)


def _of_smtp(key: str, others: dict[str, str]) -> Callable[[str], str]:
    return lambda text: _valid("alertmanager", {"smtp": {**others, key: text}}, text)


def _url(text: str) -> str:
    return _valid("prometheus", {"url": text}, text)


def _valid(section: str, keys: dict[str, Any], text: str) -> str:
    """Return an answer; UsageError with the sentence that the configuration has for what is wrong with it."""
    from facemon.config.loader import text_faults
    from facemon.config.yaml_text import flow_text

    if faults := text_faults(flow_text({section: keys})):
        raise UsageError(faults[0].message, faults[0].hint or None)
    return text


def _monitoring(text: str) -> Monitoring | None:
    from facemon.near_names import did_you_mean

    match text.lower():
        case "containers" | "existing" as answer:
            return answer
        case "none":
            return None
    known = ("containers", "existing", _NONE)
    raise UsageError(f"{text} is none of the answers", did_you_mean(text, known, f"answer {', '.join(known)}"))
