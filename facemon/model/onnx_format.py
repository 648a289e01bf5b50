"""The wire format of ONNX files: what facemon reads of their bytes and adds to them; no other module knows it.

onnxruntime does not show the weights and nodes of a file, nor the names of the files in which it keeps weights, and the
package onnx would be one more to install for them. Sources: https://protobuf.dev/programming-guides/encoding/, and
onnx.proto for the numbers of fields. What reads raises ValueError or IndexError where bytes are not an ONNX file.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
"""Wire types."""
_GRAPH = 7
_NODE, _INITIALIZER, _OUTPUT = 1, 5, 12
"""Fields of a graph."""
_VALUE_NAME = 1
_NODE_INPUT, _NODE_OUTPUT, _OP_TYPE, _ATTRIBUTE = 1, 2, 4, 5
_ATTRIBUTE_NAME, _INTS, _STRINGS = 1, 8, 9
_DATA_TYPE, _RAW_DATA = 2, 9
_FLOAT = 1
"""The data type float32."""
# A StringStringEntryProto whose key (field 1) is "location"; the length of its value (field 2) and the value follow.
_LOCATION = re.compile(rb"\x0a\x08location\x12([\x80-\xff]*[\x00-\x7f])")

_Span = tuple[int, int]
"""Where the bytes of a message begin and end."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of a node, read from the file's bytes when it is asked for something."""

    content: bytes
    span: _Span

    @property
    def name(self) -> str:
        """What it is called."""
        (name,) = _texts(self.content, self.span, _ATTRIBUTE_NAME)
        return name

    def texts(self) -> list[str]:
        """Its list of texts."""
        return _texts(self.content, self.span, _STRINGS)

    def integers(self) -> Iterator[int]:
        """Its list of whole numbers."""
        for number, first, last in _fields(self.content, *self.span):
            if number != _INTS:
                continue
            if last is None:
                yield _signed(first)
                continue
            place = first
            while place < last:  # packed: the numbers are one after the other
                value, place = _read_varint(self.content, place)
                yield _signed(value)


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a graph, read from the file's bytes when it is asked for something."""

    content: bytes
    span: _Span

    def inputs(self) -> list[str]:
        """The names of the tensors that it reads."""
        return _texts(self.content, self.span, _NODE_INPUT)

    def outputs(self) -> list[str]:
        """The names of the tensors that it makes."""
        return _texts(self.content, self.span, _NODE_OUTPUT)

    def attributes(self) -> Iterator[Attribute]:
        """Its attributes."""
        for span in _spans(self.content, *self.span, _ATTRIBUTE):
            yield Attribute(self.content, span)


def nodes(content: bytes, operator: str) -> Iterator[Node]:
    """The nodes of the main graph that are of an operator such as Softmax."""
    for graph in _graphs(content):
        for span in _spans(content, *graph, _NODE):
            if _texts(content, span, _OP_TYPE) == [operator]:
                yield Node(content, span)


def float_weights(content: bytes) -> Iterator[_Span]:
    """Where the little-endian bytes of each float32 weight in the main graph begin and end."""
    for graph in _graphs(content):
        for tensor in _spans(content, *graph, _INITIALIZER):
            is_float = any(value == _FLOAT for number, value, _ in _fields(content, *tensor) if number == _DATA_TYPE)
            if is_float:
                yield from _spans(content, *tensor, _RAW_DATA)


def output_names(content: bytes) -> Iterator[str]:
    """The names of the main graph's outputs."""
    for graph in _graphs(content):
        for output in _spans(content, *graph, _OUTPUT):
            yield from _texts(content, output, _VALUE_NAME)


def with_outputs(content: bytes, names: Iterable[str]) -> bytes:
    """A file's bytes with further tensors of the main graph as outputs, after those that it has.

    A second graph in the file adds to the first: protobuf merges messages of one field, and appends what repeats.
    """
    values = b"".join(_bytes_field(_OUTPUT, _bytes_field(_VALUE_NAME, name.encode())) for name in names)
    return content + _bytes_field(_GRAPH, values) if values else content


def external_locations(content: bytes) -> set[str]:
    """The files in which an ONNX file may keep weights, by the paths that it names."""
    lengths = (
        (match.end(), sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(match[1])))
        for match in _LOCATION.finditer(content)
    )
    return {content[start : start + length].decode("utf-8", "replace") for start, length in lengths}


def _graphs(content: bytes) -> Iterator[_Span]:
    return _spans(content, 0, len(content), _GRAPH)


def _texts(content: bytes, message: _Span, number: int) -> list[str]:
    return [content[start:end].decode() for start, end in _spans(content, *message, number)]


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _spans(content: bytes, start: int, end: int, wanted: int) -> Iterator[_Span]:
    """Where the bytes of each field with the number `wanted` begin and end."""
    for number, first, last in _fields(content, start, end):
        if number == wanted and last is not None:
            yield first, last


def _fields(content: bytes, start: int, end: int) -> Iterator[tuple[int, int, int | None]]:
    """Each field's number with where its bytes begin and end, or with its value and none where it is a number."""
    while start < end:
        key, start = _read_varint(content, start)
        number, wire_type = key >> 3, key & 7
        if wire_type == _VARINT:
            value, start = _read_varint(content, start)
            yield number, value, None
            continue
        if wire_type == _BYTES:
            length, start = _read_varint(content, start)
        elif wire_type in (_FIXED32, _FIXED64):
            length = 4 if wire_type == _FIXED32 else 8
        else:
            raise ValueError(f"no wire type {wire_type}")
        if start + length > end:
            raise ValueError("a field reaches over the end of its message")
        yield number, start, start + length
        start += length


def _read_varint(content: bytes, start: int) -> tuple[int, int]:
    """A number in base 128, its lowest digits first, and where it ends."""
    value = shift = 0
    while True:
        byte = content[start]
        value |= (byte & 0x7F) << shift
        start, shift = start + 1, shift + 7
        if byte < 0x80:
            return value, start


def _bytes_field(number: int, value: bytes) -> bytes:
    """A field of bytes, such as a text or a message."""
    return _written_varint(number << 3 | _BYTES) + _written_varint(len(value)) + value


def _written_varint(value: int) -> bytes:
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])
