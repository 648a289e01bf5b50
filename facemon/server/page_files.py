"""The files that make up the pages of both servers: read once, sent with an ETag, and never changed while they run."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path

FILES = "/pages/"
"""Below this path the files have their names."""
_FOLDER = Path(__file__).parent / "pages"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer a browser sends the origin null for some requests
    "Vary": "Accept",
}


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file as it is sent."""

    content: bytes
    headers: Mapping[str, str]

    def answer(self, if_none_match: str) -> tuple[HTTPStatus, bytes, Mapping[str, str]]:
        """Return status, body and headers: 304 without a body where the browser has this file already."""
        is_known = self.headers["ETag"] in (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
        return (HTTPStatus.NOT_MODIFIED, b"", self.headers) if is_known else (HTTPStatus.OK, self.content, self.headers)

    def with_policy(self, policy: str) -> "PageFile":
        """Return the same file, sent with a Content-Security-Policy, which a page needs."""
        return PageFile(self.content, {**self.headers, "Content-Security-Policy": policy})


def page_headers(policy: str) -> dict[str, str]:
    """Return the headers of a page that is made again for each request, with its Content-Security-Policy."""
    made_anew = {"Content-Type": _TYPES[".html"], "Cache-Control": "no-store"}
    return {**made_anew, "Content-Security-Policy": policy, **_ALWAYS}


def content_policy(**sources: str) -> str:
    """Return a Content-Security-Policy that allows nothing but these sources; names are written with underscores."""
    closed = {"base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'"}
    given = {name.replace("_", "-"): text for name, text in sources.items()}
    return "; ".join(f"{name} {text}" for name, text in {"default-src": "'none'", **given, **closed}.items())


@cache
def page_files() -> Mapping[str, PageFile]:
    """Return facemon's own files by their names."""
    return {path.name: read_page_file(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}


def read_page_file(path: Path) -> PageFile:
    """Read a file; OSError where it cannot be read."""
    content = path.read_bytes()
    headers = {"Content-Type": _TYPES[path.suffix], "ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"'}
    # Asked for each time, so that a newer facemon is seen at once; mostly it is the same, and 304.
    return PageFile(content, {**headers, "Cache-Control": "no-cache", **_ALWAYS})
