"""What a worker is on a node of Ray: the model, opened once, and one shard after the other.

Ray starts it by the name of this module, so that each node needs facemon itself.
"""

import os
import pickle
import platform
from dataclasses import dataclass

from facemon.domain.shard_outcome import ShardOutcome, undelivered
from facemon.errors import FacemonError
from facemon.schedulers.ray_settings import AUTH_MODE
from facemon.schedulers.scheduler import PredictsShards
from facemon.version import __version__


@dataclass(frozen=True, slots=True)
class Node:
    """What must be known of a node before anything is sent to it."""

    host: str
    facemon: str
    auth_mode: str
    """Of Ray, by the variable that the node was started with."""


class ShardWorker:
    """One process of a node; Ray lets one call at a time run, in the main thread."""

    def __init__(self) -> None:
        self._shards: PredictsShards | None = None

    def node(self) -> Node:
        """Return where this is."""
        return Node(platform.node(), __version__, os.environ.get(AUTH_MODE, ""))

    def open(self, pickled: bytes) -> ShardOutcome | None:
        """Open the model by an `OpensShards`; what is wrong, or None."""
        try:
            self._shards = pickle.loads(pickled)()  # noqa: S301 - from the driver, which runs code here anyway
        except FacemonError as error:
            return undelivered(error)
        return None

    def predict(self, shard: int) -> ShardOutcome:
        """Predict and deliver a shard with the model that was opened."""
        if self._shards is None:
            raise RuntimeError("a shard was given before the model was opened")
        return self._shards.predict(shard)
