"""What a ledger remembers of a shard that it has registered, so that it never registers it again."""

from typing import NamedTuple


class ShardIdentity(NamedTuple):
    """A delivered shard of a job."""

    name: str
    """Of the job."""
    shard: int
    shards: int
    job: str
    """The digest of the job."""
    digest: str
    """The digest of the delivery."""
    run: str
    etag: str | None
    """Of its commit, which need not be read again while it has the same."""
