"""A job: a manifest that is predicted in shards, and all that decides which rows come of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from facemon.store.shared_log.documents import UnreadableDocument, decode, digest_of, encode
from facemon.version import __version__

_KIND, _FORMAT = "job", 1


class Difference(NamedTuple):
    """One thing that two jobs of a name do not have in common."""

    what: str
    theirs: str
    """In the shared log."""
    ours: str


@dataclass(frozen=True, slots=True)
class Job:
    """What all shards of a job have in common."""

    manifest: str
    """The SHA-256 of the manifest's bytes."""
    rows: int
    shards: int
    model: str
    fingerprint: str
    source: str | None
    settings: Mapping[str, str]
    """What else decides the rows: options of predict, and keys of the configuration."""
    facemon: str = __version__

    def document(self) -> dict[str, Any]:
        """Return the job as an object for JSON."""
        return {
            "format": f"facemon.{_KIND}/{_FORMAT}",
            "facemon": self.facemon,
            "manifest": self.manifest,
            "rows": self.rows,
            "shards": self.shards,
            "model": self.model,
            "fingerprint": self.fingerprint,
            "source": self.source,
            "settings": dict(self.settings),
        }

    def encoded(self) -> bytes:
        """Return the job as bytes, which are the same on each machine."""
        return encode(self.document())

    @classmethod
    def decoded(cls, content: bytes) -> Self:
        """Read a job; UnreadableDocument where it is none."""
        document = decode(content, _KIND, _FORMAT)
        try:
            job = cls(
                str(document["manifest"]), int(document["rows"]), int(document["shards"]), str(document["model"]),
                str(document["fingerprint"]), document["source"],
                {str(name): str(value) for name, value in document["settings"].items()}, str(document["facemon"]),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnreadableDocument("lacks a part of a job") from error
        if job.shards < 1 or job.rows < 0:
            raise UnreadableDocument("has no shards")
        return job

    @property
    def digest(self) -> str:
        """The identity of the job; a delivery names it."""
        return digest_of(self.document())

    def differences(self, other: "Job") -> Iterator[Difference]:
        """Yield what another job of the same name has otherwise."""
        theirs, ours = (dict(_flat(job.document())) for job in (other, self))
        for what in {**ours, **theirs}:
            if theirs.get(what) != ours.get(what):
                yield Difference(what, _shown(theirs.get(what)), _shown(ours.get(what)))


def _flat(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, dict):
            yield from value.items()
        else:
            yield name, value


def _shown(value: Any) -> str:
    return "nothing" if value in (None, "") else str(value)
