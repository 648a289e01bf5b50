"""The group on a Pushgateway that is named, and who pushes to it; what is wrong with either is said at once."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from facemon.config.web_address import origin
from facemon.domain.metric_catalogue import CATALOGUE
from facemon.errors import UsageError
from facemon.regular_file import read_regular, require_regular

if TYPE_CHECKING:
    from facemon.metrics.pushgateway import Pushgateway

DEFAULT_JOB = "facemon"
DEFAULT_TIMEOUT_S = 10.0
_LONGEST_S = 3600.0
_LONGEST_SECRET = 64 << 10
_LABEL = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*")
_TAKEN = frozenset(label for metric in CATALOGUE.values() for label in metric.labels) | {"le"}
"""A grouping key would overwrite these labels of the metrics themselves."""


@dataclass(frozen=True, slots=True)
class PushOptions:
    """What the command line says of a push, as it was given."""

    job: str | None
    grouping: tuple[str, ...]
    user: str | None
    password_file: Path | None
    token_file: Path | None
    ca_file: Path | None
    timeout: float | None

    def pushgateway(
        self, url: str | None, *, delete: bool, labels: Mapping[str, str] | None = None
    ) -> "Pushgateway | None":
        """The Pushgateway that is described, none without a URL; UsageError where the options make no sense.

        The labels of all metrics are part of the group, so that one store's push does not replace another's.
        """
        from facemon.metrics.pushgateway import Pushgateway, PushGroup

        if url is None:
            self._refuse_all(delete)
            return None
        address = _address(url)
        if self.job == "":
            raise UsageError("--job is empty: a Pushgateway needs a name", f"leave it out for {DEFAULT_JOB}")
        if self.ca_file is not None:
            if not address.startswith("https:"):
                raise UsageError(f"--ca-file is for https, and {origin(address)} is not", "leave it out")
            _check_certificates(self.ca_file)
        seconds = DEFAULT_TIMEOUT_S if self.timeout is None else self.timeout
        if not 0 < seconds <= _LONGEST_S:
            raise UsageError(f"--timeout {seconds:g}: write seconds, above 0 and at most {_LONGEST_S:g}")
        group = PushGroup(address, self.job or DEFAULT_JOB, _grouping(self.grouping, labels or {}))
        authorization = _authorization(self.user, self.password_file, self.token_file)
        return Pushgateway(group, authorization, self.ca_file, seconds)

    def _refuse_all(self, delete: bool) -> None:
        given = [field.name for field in fields(self) if getattr(self, field.name) not in (None, ())]
        for name in [*given, *(["delete"] if delete else [])]:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"{option} needs --pushgateway", "add --pushgateway URL")


def _address(url: str) -> str:
    """The URL without a slash at its end; what it says of a user is never repeated."""
    whole = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(whole)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if "@" in whole:
        raise UsageError(
            "--pushgateway holds a user, and every user of this machine can read a command line",
            "give the user with --user and --password-file",
        )
    if not is_address or parts.query or parts.fragment or not re.fullmatch(r"[!-~]+", whole):
        raise UsageError(
            "--pushgateway: is not the address of a Pushgateway", "write http://HOST:9091, without a query"
        )
    return whole.rstrip("/")


def _grouping(pairs: Sequence[str], labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    found = dict(labels)
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"--grouping {pair}: write KEY=VALUE, like instance=camera-host-1")
        if name == "job":
            raise UsageError(f"--grouping {pair}: the job has an option of its own", "write --job NAME")
        if not _LABEL.fullmatch(name):
            raise UsageError(
                f"--grouping {pair}: {name!r} is not a label name",
                "letters, digits and _, no digit first, no two _ first",
            )
        if name in _TAKEN:
            raise UsageError(f"--grouping {pair}: {name} is a label of facemon's own metrics", "choose another name")
        if name in labels:
            raise UsageError(f"--grouping {pair}: metrics.labels sets {name} already", "leave out one of the two")
        if name in found:
            raise UsageError(f"--grouping {pair}: {name} was given already", "give each key once")
        found[name] = value
    return tuple(found.items())


def _authorization(user: str | None, password_file: Path | None, token_file: Path | None) -> str | None:
    if (user is None) != (password_file is None):
        raise UsageError("--user and --password-file belong together", "add the other one")
    if token_file is not None:
        if user is not None:
            raise UsageError("--token-file and --user exclude each other", "leave out one of them")
        return f"Bearer {token_of('--token-file', token_file)}"
    if user is None or password_file is None:
        return None
    if not user or ":" in user or not user.isprintable():
        raise UsageError(
            "--user is empty, or holds a colon or a control character, which no HTTP user may",
            "the password belongs into the file of --password-file",
        )
    pair = f"{user}:{_secret('--password-file', password_file)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def token_of(option: str, path: Path) -> str:
    """The token in a file that an option names; UsageError, which repeats nothing of it, for what is none."""
    token = _secret(option, path)
    if not re.fullmatch(r"[!-~]+", token):
        raise UsageError(
            f"{option} {path}: a token is letters, digits and signs, without spaces",
            "the file must hold the token alone, in one line",
        )
    return token


def _secret(option: str, path: Path) -> str:
    """The one line of a file; no message repeats anything of it."""
    try:
        # A shell's <(…) brings a secret that is in no file.
        secret = read_regular(path, _LONGEST_SECRET, or_descriptor=True).decode().rstrip("\r\n")
    except OSError as error:
        raise UsageError(f"{option} {path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise UsageError(f"{option} {path}: is not UTF-8", "save the file as UTF-8") from None
    if not secret or not secret.isprintable():
        raise UsageError(
            f"{option} {path}: must hold exactly one line, the secret", "write the secret alone into the file"
        )
    return secret


def _check_certificates(path: Path) -> None:
    import ssl

    try:
        require_regular(path)
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        raise UsageError(
            f"--ca-file {path}: holds no certificate", "name a file with certificates in PEM format"
        ) from None
    except OSError as error:
        raise UsageError(f"--ca-file {path}: cannot be read: {error.strerror}") from error
