"""BentoML with adaptive batching, whose requests are lists: each of ours is a form with a list of one image."""

import bentoml  # type: ignore[import-not-found]
from PIL.Image import Image

from benchmarks.peers.served_network import BATCH, WORKERS, Answer, Network, pixels, setting


@bentoml.service(workers=setting(WORKERS))
class Classifier:
    """The network behind as many images as are brought together."""

    def __init__(self) -> None:
        self._network = Network()

    @bentoml.api(route="/predict", batchable=True, max_batch_size=setting(BATCH))  # type: ignore[untyped-decorator]
    def predict(self, images: list[Image]) -> list[Answer]:
        """Answer a batch."""
        return self._network.answers([pixels(image) for image in images])
