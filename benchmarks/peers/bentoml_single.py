"""BentoML, one image a call: the image is the request's body, calls run on the service's threads."""

import bentoml  # type: ignore[import-not-found]
from PIL.Image import Image

from benchmarks.peers.served_network import WORKERS, Answer, Network, pixels, setting


@bentoml.service(workers=setting(WORKERS))
class Classifier:
    """The network behind an image."""

    def __init__(self) -> None:
        self._network = Network()

    @bentoml.api(route="/predict")  # type: ignore[untyped-decorator]
    def predict(self, image: Image, /) -> Answer:
        """Answer one image."""
        return self._network.answers([pixels(image)])[0]
