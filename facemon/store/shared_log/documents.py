"""What is wrong with an object of a shared log, and how its JSON is written and read."""

import hashlib
import json
import re
from typing import Any

_FORMAT = re.compile(r"facemon\.(job|delivery|node-delivery)/([0-9]{1,9})")
_SEAL = "sha256"


class UnreadableDocument(ValueError):
    """An object that is not what its place says; the text says why."""


def encode(document: dict[str, Any]) -> bytes:
    """Return a document as JSON; the same document gives the same bytes."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def digest_of(value: Any) -> str:
    """Return the SHA-256 of a value that JSON can hold."""
    return hashlib.sha256(
        json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    ).hexdigest()


def sealed(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with the SHA-256 of all that it says, so that no part of it can change unseen."""
    return {**document, _SEAL: digest_of(document)}


def refuse_changed(document: dict[str, Any]) -> None:
    """UnreadableDocument where a document is not as it was sealed."""
    try:
        digest = digest_of({name: value for name, value in document.items() if name != _SEAL})
    except ValueError as error:
        raise UnreadableDocument("holds a number that JSON does not allow") from error
    if document.get(_SEAL) != digest:
        raise UnreadableDocument("was changed: its digest does not match")


def decode(content: bytes, kind: str, newest: int) -> dict[str, Any]:
    """Read a document of a kind; UnreadableDocument for another one, and for one of a newer format than `newest`."""
    try:
        document = json.loads(content)
    except ValueError as error:
        raise UnreadableDocument("is not JSON") from error
    known = _FORMAT.fullmatch(str(document.get("format"))) if isinstance(document, dict) else None
    if known is None or known[1] != kind:
        raise UnreadableDocument(f"is not a document of the format facemon.{kind}")
    if int(known[2]) > newest:
        raise UnreadableDocument(
            f"has the format {known[0]} of a newer facemon ({document.get('facemon')}): install that one here"
        )
    return dict(document)
