"""Weights too small for a processor's fast path, set to zero: training leaves thousands of them behind.

A float32 below 1.2e-38 (IEEE 754 calls it subnormal) makes a multiplication up to a hundred times slower on some
processors, and adds nothing to a sum of ordinary numbers. The file's own bytes, and with them its sha256, stay as
they are: only what is handed to the runtime changes.
"""

from collections.abc import Iterator

import numpy as np

# Field numbers of onnx.proto, and wire types of protobuf's encoding. onnxruntime shows nobody its weights, and the
# package onnx would be one more to install for this alone.
_GRAPH, _INITIALIZER, _DATA_TYPE, _RAW_DATA = 7, 5, 2, 9
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FLOAT = 1
_SMALLEST = np.finfo(np.float32).tiny


def without_subnormals(content: bytes) -> bytes:
    """An ONNX file's bytes with the subnormal float32 weights of its main graph set to zero.

    What is no ONNX file comes back as it is, for the runtime to say what is wrong with it. Weights in other files are
    left alone.
    """
    changed = bytearray(content)
    try:
        for start, end in list(_weights(content)):
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


def _weights(content: bytes) -> Iterator[tuple[int, int]]:
    """Where the raw bytes of each float32 initializer begin and end."""
    for graph in _spans(content, 0, len(content), _GRAPH):
        for tensor in _spans(content, *graph, _INITIALIZER):
            is_float = any(value == _FLOAT for number, value, _ in _fields(content, *tensor) if number == _DATA_TYPE)
            if is_float:
                yield from _spans(content, *tensor, _RAW_DATA)


def _spans(content: bytes, start: int, end: int, wanted: int) -> Iterator[tuple[int, int]]:
    for number, first, last in _fields(content, start, end):
        if number == wanted and last is not None:
            yield first, last


def _fields(content: bytes, start: int, end: int) -> Iterator[tuple[int, int, int | None]]:
    """Each field's number with where its bytes begin and end, or with its value and none where it is a number.

    ValueError or IndexError where the bytes are no message.
    """
    while start < end:
        key, start = _varint(content, start)
        number, wire_type = key >> 3, key & 7
        if wire_type == _VARINT:
            value, start = _varint(content, start)
            yield number, value, None
            continue
        if wire_type == _BYTES:
            length, start = _varint(content, start)
        elif wire_type in (_FIXED32, _FIXED64):
            length = 4 if wire_type == _FIXED32 else 8
        else:
            raise ValueError(f"no wire type {wire_type}")
        if start + length > end:
            raise ValueError("a field reaches over the end of its message")
        yield number, start, start + length
        start += length


def _varint(content: bytes, start: int) -> tuple[int, int]:
    """A number in base 128, its lowest digits first, and where it ends."""
    value = shift = 0
    while True:
        byte = content[start]
        value |= (byte & 0x7F) << shift
        start, shift = start + 1, shift + 7
        if byte < 0x80:
            return value, start
