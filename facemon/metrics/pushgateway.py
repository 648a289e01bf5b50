"""A group of metrics on a Pushgateway: how it is addressed, replaced and deleted."""

import base64
import re
import ssl
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPSHandler, Request, build_opener

from facemon.config.quantities import Listen
from facemon.config.web_address import origin
from facemon.errors import FacemonError

_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_SAID_AT_MOST = 500


@dataclass(frozen=True, slots=True)
class PushGroup:
    """The metrics of one job, and of one value for each name of the grouping key."""

    url: str
    """The Pushgateway's, without user, query or a slash at the end."""
    job: str
    grouping: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """The group in a message."""
        key = "".join(f", {name}={value!r}" for name, value in self.grouping)
        return f"job {self.job!r}{key} on {origin(self.url)}"

    @property
    def address(self) -> str:
        """Where the group is put and deleted."""
        pairs = (("job", self.job), *self.grouping)
        return "/".join([self.url, "metrics", *(_segments(name, value) for name, value in pairs)])


@dataclass(frozen=True, slots=True)
class Pushgateway:
    """How to talk to a Pushgateway; certificates are always verified."""

    group: PushGroup
    authorization: str | None = field(default=None, repr=False)
    """The header's value, which holds a secret."""
    ca_file: Path | None = None
    """The certificates that are trusted; none = those of the system."""
    timeout_s: float = 10.0
    """For the whole conversation, however slowly the other side talks."""

    @property
    def tells_its_secret(self) -> bool:
        """Whether the secret leaves this machine without encryption."""
        parts = urlsplit(self.group.url)
        is_near = Listen(parts.hostname or "", 0).is_loopback
        return self.authorization is not None and parts.scheme == "http" and not is_near

    def replace(self, text: str) -> None:
        """Put metrics in the place of the group's; FacemonError when they were not taken."""
        self._send("PUT", text.encode())

    def delete(self) -> None:
        """Delete the group, which need not be there; FacemonError when that was refused."""
        self._send("DELETE", None)

    def _send(self, method: str, body: bytes | None) -> None:
        answered: Future[None] = Future()

        def converse() -> None:
            try:
                self._converse(method, body)
                answered.set_result(None)
            except BaseException as error:  # noqa: BLE001 - raised where the answer is waited for
                answered.set_exception(error)

        # A thread, because a socket's timeout starts again with every byte that comes in.
        threading.Thread(target=converse, daemon=True).start()
        did = "take the metrics" if method == "PUT" else "delete the group"
        try:
            answered.result(self.timeout_s)
        except (OSError, HTTPException, ValueError) as error:
            cause = error.reason if isinstance(error, URLError) and not isinstance(error, HTTPError) else error
            raise self._refusal(did, cause) from error

    def _converse(self, method: str, body: bytes | None) -> None:
        request = Request(self.group.address, data=body, method=method)  # noqa: S310 - only http and https get here
        request.add_header("Content-Type", _FORMAT)
        if self.authorization is not None:
            # Not given on to wherever a redirect leads.
            request.add_unredirected_header("Authorization", self.authorization)
        secured = self.group.url.startswith("https:")
        handlers = [HTTPSHandler(context=ssl.create_default_context(cafile=self.ca_file))] if secured else []
        try:
            build_opener(*handlers).open(request, timeout=self.timeout_s).close()
        except HTTPError as error:
            error.msg = " ".join([error.msg, *_first_line(error)])
            raise

    def _refusal(self, did: str, cause: object) -> FacemonError:
        message = f"the Pushgateway at {origin(self.group.url)} did not {did}"
        match cause:
            case TimeoutError():
                return FacemonError(f"{message} within {self.timeout_s:g} s", "--timeout gives it longer")
            case HTTPError(code=401 | 403):
                hint = "authenticate with --user and --password-file, or with --token-file"
                return FacemonError(f"{message}: {cause.code} {cause.msg}", hint)
            case HTTPError():
                return FacemonError(f"{message}: {cause.code} {cause.msg}", "the log of the Pushgateway says more")
            case ssl.SSLCertVerificationError():
                hint = "name the certificate of a private authority with --ca-file"
                return FacemonError(f"{message}: {cause.verify_message}", hint)
        return FacemonError(f"{message}: {cause}", "compare --pushgateway with the address at which it listens")


def _segments(name: str, value: str) -> str:
    """A name and its value as parts of a path; `/metrics/job/..` would be another place."""
    if _PLAIN.fullmatch(value):
        return f"{name}/{value}"
    return f"{name}@base64/{base64.urlsafe_b64encode(value.encode()).decode() or '='}"


def _first_line(error: HTTPError) -> list[str]:
    """What a refusal says of its reason, as printable text."""
    said = error.read(_SAID_AT_MOST).decode("utf-8", "replace").strip().splitlines()
    return ["".join(character if character.isprintable() else "?" for character in line) for line in said[:1]]
