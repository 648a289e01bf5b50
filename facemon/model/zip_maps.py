"""ZipMap nodes: how scikit-learn's exporters turn probabilities into a list of mappings, which is not a tensor.

The probabilities themselves go into such a node. facemon reads them there: the tensor becomes one more output of what
is handed to the runtime. The file and its sha256 stay as they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from facemon.model.protobuf_fields import bytes_field, fields, read_varint, spans

# Field numbers of onnx.proto.
_GRAPH, _NODE, _OUTPUT, _VALUE_NAME = 7, 1, 12, 1
_NODE_INPUT, _NODE_OUTPUT, _OP_TYPE, _ATTRIBUTE = 1, 2, 4, 5
_ATTRIBUTE_NAME, _INTS, _STRINGS = 1, 8, 9


@dataclass(frozen=True, slots=True)
class ZipMap:
    """One node: the tensor that it reads, [n, labels], the output that it makes of it, and the labels in order."""

    source: str
    output: str
    labels: tuple[str, ...]


def zip_maps(content: bytes) -> tuple[ZipMap, ...]:
    """The ZipMap nodes of an ONNX file's main graph; none where the bytes are not an ONNX file."""
    if b"ZipMap" not in content:  # reading each node of a large file takes longer
        return ()
    try:
        return tuple(_zip_maps(content))
    except (IndexError, ValueError):
        return ()


def with_sources(content: bytes, found: Sequence[ZipMap]) -> bytes:
    """An ONNX file's bytes with the sources of ZipMap nodes among the graph's outputs, after those that it has.

    A second graph in the file adds to the first: protobuf merges messages of one field, and appends what repeats.
    """
    outputs = set(_outputs(content)) if found else set()
    new = [name for name in dict.fromkeys(each.source for each in found) if name not in outputs]
    values = b"".join(bytes_field(_OUTPUT, bytes_field(_VALUE_NAME, name.encode())) for name in new)
    return content + bytes_field(_GRAPH, values) if new else content


def _zip_maps(content: bytes) -> Iterator[ZipMap]:
    for graph in spans(content, 0, len(content), _GRAPH):
        for node in spans(content, *graph, _NODE):
            if _texts(content, node, _OP_TYPE) == ["ZipMap"]:
                (source, *_), (output, *_) = _texts(content, node, _NODE_INPUT), _texts(content, node, _NODE_OUTPUT)
                labels = [label for each in spans(content, *node, _ATTRIBUTE) for label in _labels(content, each)]
                yield ZipMap(source, output, tuple(labels))


def _labels(content: bytes, attribute: tuple[int, int]) -> Iterator[str]:
    (name,) = _texts(content, attribute, _ATTRIBUTE_NAME)
    if name == "classlabels_strings":
        yield from _texts(content, attribute, _STRINGS)
    elif name == "classlabels_int64s":
        for number, first, last in fields(content, *attribute):
            if number != _INTS:
                continue
            if last is None:
                yield _signed(first)
                continue
            place = first
            while place < last:  # packed: the numbers are one after the other
                value, place = read_varint(content, place)
                yield _signed(value)


def _signed(value: int) -> str:
    return str(value - (1 << 64) if value >> 63 else value)


def _outputs(content: bytes) -> Iterator[str]:
    for graph in spans(content, 0, len(content), _GRAPH):
        for output in spans(content, *graph, _OUTPUT):
            yield from _texts(content, output, _VALUE_NAME)


def _texts(content: bytes, message: tuple[int, int], number: int) -> list[str]:
    return [content[start:end].decode() for start, end in spans(content, *message, number)]
