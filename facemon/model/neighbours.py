"""Whether a network's answer for one face depends on the other faces of its batch.

It should not, but a dynamically quantised network takes its scales from the whole batch, and an export may have fixed
what its author tried, a batch of one. Then answers would depend on which images happened to come together.
"""

from collections.abc import Sequence

import numpy as np

from facemon.config.network_input import InputConfig
from facemon.errors import FacemonError
from facemon.model.graph import INPUT_TYPES, Graph
from facemon.model.input_tensor import channel_count, input_batch

_TOLERANCE = {np.dtype(np.float16): 1e-2}
"""Of the largest number of an output, what other kernels for other batch sizes may change; by the output's type."""
_USUAL_TOLERANCE = 1e-4
_LEVELS = ((0, 256), (96, 160))
"""Of the pixels of the images that are tried: of full contrast, and of little, so that their ranges differ much."""


def needs_faces_alone(graph: Graph, config: InputConfig, outputs: Sequence[str]) -> bool:
    """Whether the graph must run on one face at a time.

    Two fixed images run together and each alone. FacemonError when the graph fails on a single face.
    """
    if graph.inputs[0].shape[0] == 1:
        return False  # it cannot run on more
    rng = np.random.default_rng(0)
    width, height = config.size
    pixels = [rng.integers(low, high, (height, width, channel_count(config)), dtype=np.uint8) for low, high in _LEVELS]
    batch = input_batch(pixels, config, INPUT_TYPES[graph.inputs[0].type])
    alone = graph.run(config.name, batch, outputs, at_once=1)
    try:
        together = graph.run(config.name, batch, outputs)
    except FacemonError:
        return True
    return any(_differs(alone[name], together[name]) for name in outputs)


def _differs(alone: np.ndarray, together: np.ndarray) -> bool:
    if alone.shape != together.shape:
        return True
    numbers = np.asarray(alone, np.float64)
    finite = np.abs(numbers[np.isfinite(numbers)])
    allowed = _TOLERANCE.get(alone.dtype, _USUAL_TOLERANCE) * finite.max(initial=0.0)
    return not np.allclose(np.asarray(together, np.float64), numbers, rtol=0, atol=allowed, equal_nan=True)
