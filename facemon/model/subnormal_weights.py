"""Weights too small for a processor's fast path, set to zero: training leaves thousands of them behind.

A float32 below 1.2e-38 (IEEE 754 calls it subnormal) makes a multiplication up to a hundred times slower on some
processors, and adds nothing to a sum of ordinary numbers. The file's own bytes, and with them its sha256, stay as
they are: only what is handed to the runtime changes.
"""

import numpy as np

from facemon.model.onnx_format import float_weights

_SMALLEST = np.finfo(np.float32).tiny


def without_subnormals(content: bytes) -> bytes:
    """An ONNX file's bytes with the subnormal float32 weights of its main graph set to zero.

    What is no ONNX file comes back as it is, for the runtime to say what is wrong with it. Weights in other files are
    left alone.
    """
    changed = bytearray(content)
    try:
        for start, end in list(float_weights(content)):
            # Little-endian by the format's definition; the place in the file need not be aligned.
            values = np.frombuffer(content, np.uint8, end - start, start).view("<f4")
            small = (np.abs(values) < _SMALLEST) & (values != 0)
            if small.any():
                flushed = values.copy()
                flushed[small] = 0
                changed[start:end] = flushed.tobytes()
    except (IndexError, ValueError):
        return content
    return bytes(changed)
