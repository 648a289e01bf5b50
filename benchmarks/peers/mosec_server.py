"""mosec: one stage that decodes, and computes in batches where it is given several at once."""

from io import BytesIO
from typing import Any

from mosec import Server, Worker  # type: ignore[import-not-found]

from benchmarks.peers.served_network import BATCH, BATCH_WAIT_MS, WORKERS, Network, decoded, setting


class Classifier(Worker):  # type: ignore[misc]
    """The network behind a JPEG as the request's body."""

    def __init__(self) -> None:
        super().__init__()
        self._network = Network()

    def deserialize(self, data: bytes) -> Any:
        """Decode one request."""
        return decoded(BytesIO(data))

    def forward(self, data: Any) -> Any:
        """A list of images where there are batches, else one."""
        return self._network.answers(data) if isinstance(data, list) else self._network.answers([data])[0]


if __name__ == "__main__":
    server = Server()
    batch = setting(BATCH)
    wait = BATCH_WAIT_MS if batch > 1 else 0
    server.append_worker(Classifier, num=setting(WORKERS), max_batch_size=batch, max_wait_time=wait, route="/predict")
    server.run()
