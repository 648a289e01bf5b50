"""Protobuf's wire format, as far as ONNX files need it.

onnxruntime does not show the weights and nodes of a file, and the package onnx would be one more to install for them.
Source: https://protobuf.dev/programming-guides/encoding/.
"""

from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
"""Wire types."""


def spans(content: bytes, start: int, end: int, wanted: int) -> Iterator[tuple[int, int]]:
    """Where the bytes of each field with the number `wanted` begin and end; errors as `fields`."""
    for number, first, last in fields(content, start, end):
        if number == wanted and last is not None:
            yield first, last


def fields(content: bytes, start: int, end: int) -> Iterator[tuple[int, int, int | None]]:
    """Each field's number with where its bytes begin and end, or with its value and none where it is a number.

    ValueError or IndexError where the bytes are not a message.
    """
    while start < end:
        key, start = read_varint(content, start)
        number, wire_type = key >> 3, key & 7
        if wire_type == _VARINT:
            value, start = read_varint(content, start)
            yield number, value, None
            continue
        if wire_type == _BYTES:
            length, start = read_varint(content, start)
        elif wire_type in (_FIXED32, _FIXED64):
            length = 4 if wire_type == _FIXED32 else 8
        else:
            raise ValueError(f"no wire type {wire_type}")
        if start + length > end:
            raise ValueError("a field reaches over the end of its message")
        yield number, start, start + length
        start += length


def read_varint(content: bytes, start: int) -> tuple[int, int]:
    """A number in base 128, its lowest digits first, and where it ends."""
    value = shift = 0
    while True:
        byte = content[start]
        value |= (byte & 0x7F) << shift
        start, shift = start + 1, shift + 7
        if byte < 0x80:
            return value, start


def bytes_field(number: int, value: bytes) -> bytes:
    """A field of bytes, such as a text or a message."""
    return _written_varint(number << 3 | _BYTES) + _written_varint(len(value)) + value


def _written_varint(value: int) -> bytes:
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])
