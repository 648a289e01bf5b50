"""LitServe: files come as form data, are decoded in the worker, and are computed in batches where it is asked to."""

from typing import Any

import litserve  # type: ignore[import-not-found]
from fastapi import Request  # type: ignore[import-not-found]

from benchmarks.peers.served_network import BATCH, BATCH_WAIT_MS, PORT, WORKERS, Network, decoded, setting


class Classifier(litserve.LitAPI):  # type: ignore[misc]
    """The network behind a form's field `image`."""

    def setup(self, device: str) -> None:  # noqa: ARG002 - LitServe's own signature
        """Load the network in each worker."""
        self._network = Network()

    def decode_request(self, request: Request) -> Any:
        """Decode one request."""
        return decoded(request["image"].file)

    def predict(self, images: Any) -> Any:
        """Stacked images where there are batches, else one."""
        return self._network.answers(images) if setting(BATCH) > 1 else self._network.answers([images])[0]

    def unbatch(self, answers: Any) -> Any:
        """Each request's own answer."""
        return answers

    def encode_response(self, output: Any) -> Any:
        """A dictionary, which LitServe makes JSON of."""
        return output


if __name__ == "__main__":
    batch = setting(BATCH)
    api = Classifier(max_batch_size=batch, batch_timeout=BATCH_WAIT_MS / 1000 if batch > 1 else 0.0)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=setting(WORKERS))
    server.run(port=setting(PORT), host="127.0.0.1", generate_client_file=False, log_level="warning")
