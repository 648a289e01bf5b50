"""What is checked before a shard is predicted: the job that it belongs to, and whether it is delivered already."""

from dataclasses import dataclass
from datetime import datetime

from facemon.domain.shard import Shard
from facemon.object_storage.object_folder import ObjectFolder
from facemon.object_storage.probe import require_conditional_writes
from facemon.store.shared_log.commit import Commit
from facemon.store.shared_log.documents import UnreadableDocument
from facemon.store.shared_log.job import Difference, Job
from facemon.store.shared_log.layout import DELIVERIES, delivery_key, job_key, shard_of


@dataclass(frozen=True, slots=True)
class Entered:
    """What was found before anything is predicted; of its parts one says how to go on."""

    began: datetime | None = None
    """By the clock of the storage: the shard is to be predicted."""
    delivered_by: str | None = None
    """The run that has delivered the shard already."""
    differences: tuple[Difference, ...] = ()
    """What the job of this name has otherwise."""
    unreadable: str | None = None
    """Which object is not what its place says, and why."""


def enter_job(folder: ObjectFolder, name: str, job: Job, shard: Shard) -> Entered:
    """Look for the job and the delivery of a shard, and describe the job where this is its first shard.

    StorageError where the storage cannot be read or written, or keeps no condition.
    """
    found = folder.read(job_key(name))
    if found is not None and (other := _compared(job_key(name), found, job)) is not None:
        return other
    if (commit := folder.read(delivery_key(name, shard.number))) is not None:
        return _delivered(delivery_key(name, shard.number), commit, name, job, shard)
    began = require_conditional_writes(folder)
    if found is None and not folder.create(job_key(name), job.encoded()):
        # Another machine was first, with another job.
        now = folder.read(job_key(name)) or b""
        return _compared(job_key(name), now, job) or Entered(began)
    return Entered(began)


def delivered_shards(folder: ObjectFolder, name: str) -> set[int]:
    """Return the numbers of the shards of a job that are delivered; StorageError where that cannot be read."""
    places = (shard_of(entry.key) for entry in folder.listed(f"{DELIVERIES}{name}/"))
    return {place[1] for place in places if place is not None}


def _compared(key: str, content: bytes, job: Job) -> Entered | None:
    try:
        other = Job.decoded(content)
    except UnreadableDocument as error:
        return Entered(unreadable=f"{key} {error}")
    differences = tuple(job.differences(other))
    return Entered(differences=differences) if differences else None


def _delivered(key: str, content: bytes, name: str, job: Job, shard: Shard) -> Entered:
    try:
        commit = Commit.decoded(content, name, shard.number)
    except UnreadableDocument as error:
        return Entered(unreadable=f"{key} {error}")
    if commit.job != job.digest:
        return Entered(unreadable=f"{key} belongs to another job of this name")
    return Entered(delivered_by=commit.run)
