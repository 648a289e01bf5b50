"""The bench's network as every server of others runs it: decoded, fitted and normalised as facemon does it, no more.

The session has onnxruntime's own settings, as every documentation has it, or facemon's: one thread for each call and no
spinning, which costs the least processor time.
"""

import os
from collections.abc import Sequence
from typing import IO

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

NETWORK, WORKERS, BATCH, PORT = "BENCH_NETWORK", "BENCH_WORKERS", "BENCH_BATCH", "BENCH_PORT"
"""The environment variables that tell a server what to serve, by how many processes, how many images at once."""
TUNED = "BENCH_TUNED"
"""Whether the session has facemon's settings: 1 or 0."""
BATCH_WAIT_MS = 5
_SIDE = 112
_MEAN, _STD = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)

Answer = dict[str, dict[str, str | float]]
"""For each head its label and how sure it is of it."""


def setting(name: str) -> int:
    """A number of the environment."""
    return int(os.environ[name])


def decoded(file: IO[bytes]) -> NDArray[np.uint8]:
    """What the network sees of a JPEG."""
    return pixels(Image.open(file))


def pixels(image: Image.Image) -> NDArray[np.uint8]:
    """What the network sees of an image: [112, 112, 3], RGB."""
    return np.asarray(image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR))


class Network:
    """The session, and what it says of images."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        if setting(TUNED):
            options.intra_op_num_threads = 1
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(os.environ[NETWORK], options, providers=["CPUExecutionProvider"])
        self._heads = [output.name for output in self._session.get_outputs()]

    def answers(self, images: Sequence[NDArray[np.uint8]]) -> list[Answer]:
        """The answer to each of some images, which run as one batch."""
        batch = np.stack(images).transpose(0, 3, 1, 2).astype(np.float32, order="C")
        batch *= np.float32(1 / 255)
        batch -= _MEAN[:, np.newaxis, np.newaxis]
        batch /= _STD[:, np.newaxis, np.newaxis]
        answers: list[Answer] = [{} for _ in images]
        for head, logits in zip(self._heads, self._session.run(None, {"input": batch}), strict=True):
            exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
            shares = exponents / exponents.sum(axis=1, keepdims=True)
            for answer, share in zip(answers, shares, strict=True):
                best = int(share.argmax())
                answer[head] = {"label": f"label{best}", "confidence": float(share[best])}
        return answers
