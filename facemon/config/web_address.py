"""Web addresses in the configuration: what is one, what of it may be shown, and which hold a secret in the open."""

import re
from urllib.parse import parse_qsl, urlsplit

from facemon.domain.image_input import shown_name
from facemon.local_path import has_user, shown_url, url_scheme

_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[\w.~-]+)(?::(\d{1,5}))?")
_HALF_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HIGHEST_PORT = 65535
_SECRET_PARAMETER = re.compile(
    r"(?:^|[-_.])(?:key|sig|sas|auth|code|jwt|pwd|pass)$|apikey|accesskey|passw|passphrase|token|secret|signature|"
    r"credential|session",
    re.IGNORECASE,
)
"""Names of query parameters that carry a secret: of cloud storages, functions, and web hooks."""
_SECRET_VALUE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9_+/=-]{32,}")
_SECRET_PATHS = (
    ("hooks.slack.com", "/services/"),
    ("hooks.slack.com", "/workflows/"),
    ("discord.com", "/api/webhooks/"),
    ("discordapp.com", "/api/webhooks/"),
    ("outlook.office.com", "/webhook/"),
    ("webhook.office.com", "/webhookb2/"),
    ("api.telegram.org", "/bot"),
    ("events.pagerduty.com", "/integration/"),
)
"""Services whose address is the secret: host (or the end of its name) and the beginning of the path."""


def without_secrets(url: str) -> str:
    """Check a web address; ValueError says what is wrong without showing it.

    It is one that Go's parser takes too, for Prometheus and Alertmanager read it.
    """
    host, *_ = re.split(r"[/?#]", url.split("//", 1)[1], maxsplit=1)
    match = _HOST.fullmatch(host)
    if match is None or not 0 < int(match[1] or 80) <= _HIGHEST_PORT:
        raise ValueError("has no host, or no port from 1 to 65535")
    if not url.isprintable() or _HALF_ESCAPE.search(url):
        raise ValueError("holds a character that does not print, or a % without two digits after it: write it as %xx")
    if secret := _secret_part(url):
        raise ValueError(
            f"shows a secret in its {secret}: put the secret into a file, and name the file with a *_file key"
        )
    return url


def origin(url: str) -> str:
    """Scheme, host and port of an address, for messages: its path, query and user may be secrets."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    more = "/…" if parts.path not in ("", "/") or parts.query else ""
    return f"{parts.scheme}://{host}{more}"


def has_secret(url: str) -> bool:
    """Whether an address holds a user, a password, a signature or another secret, whether or not it is a right one."""
    return has_user(url) or _holds_secret(url.partition("?")[2].partition("#")[0])


def logged_name(given: str) -> str:
    """Return what the log calls an image: as it was given, but for the secrets of an address."""
    if url_scheme(given) is not None and has_secret(given):
        return shown_name(shown_url(given))
    return shown_name(given)


def _secret_part(url: str) -> str:
    """Return which part of an address is a secret, empty where none is."""
    parts = urlsplit(url)
    if _holds_secret(parts.query):
        return "query"
    host = parts.hostname or ""
    for known, path in _SECRET_PATHS:
        if (host == known or host.endswith(f".{known}")) and parts.path.startswith(path):
            return "path"
    return ""


def _holds_secret(query: str) -> bool:
    return any(
        _SECRET_PARAMETER.search(name) or _SECRET_VALUE.fullmatch(value or name)
        for name, value in parse_qsl(query, keep_blank_values=True)
    )
