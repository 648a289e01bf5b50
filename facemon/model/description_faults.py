"""Where a description of a network does not fit its file."""

from collections.abc import Iterator
from math import prod

from facemon.config.model import AttributeConfig, InputConfig, NetworkConfig
from facemon.domain.kinds.registry import kind_of
from facemon.model.graph import INPUT_TYPES, Graph, Tensor
from facemon.model.input_tensor import channel_count, whole_number_fault
from facemon.printable import Lines, printable

READABLE_OUTPUTS = ("float", "float16", "double")
"""The types of outputs that attributes can be read from."""


def misfits(network: NetworkConfig, graph: Graph) -> Iterator[str]:
    """A line for each fault of a network's input and attributes."""
    yield from input_misfits(network.input, graph)
    outputs = {tensor.name: tensor for tensor in graph.outputs}
    for attribute in network.attributes:
        if fault := kind_of(attribute).activation_fault(attribute):
            yield f"  {attribute.name}: {fault}"
        elif attribute.output not in outputs:
            yield f"  {attribute.name}: there is no output {attribute.output}"
        else:
            yield from _output_misfits(attribute, outputs[attribute.output], graph)


def input_misfits(config: InputConfig, graph: Graph) -> Iterator[str]:
    """A line for each fault of an input."""
    if [tensor.name for tensor in graph.inputs] != [config.name]:
        yield f"  input: {config.name} is described as its only input, which it is not"
        return
    (tensor,) = graph.inputs
    if tensor.type not in INPUT_TYPES:
        yield f"  input: {tensor.name} takes {tensor.type}; facemon can feed {', '.join(INPUT_TYPES)}"
    elif fault := whole_number_fault(config, INPUT_TYPES[tensor.type]):
        yield f"  input: {tensor.name} takes {tensor.type}: {fault}"
    width, height = config.size
    channels = channel_count(config)
    wanted = (channels, height, width) if config.layout == "nchw" else (height, width, channels)
    rest = tensor.shape[1:]
    if len(rest) != len(wanted) or any(
        isinstance(had, int) and had != want for had, want in zip(rest, wanted, strict=True)
    ):
        description = f"{config.layout}, {config.channels}, size {width} x {height}"
        yield f"  input: {description} makes [batch, {', '.join(map(str, wanted))}], which {tensor.name} does not take"


def _output_misfits(attribute: AttributeConfig, tensor: Tensor, graph: Graph) -> Iterator[str]:
    if source := zipped_source(graph, tensor.name):
        yield f"  {attribute.name}: the output {tensor.name} is a list of mappings; {source} holds its numbers"
        return
    if tensor.type not in READABLE_OUTPUTS:
        yield f"  {attribute.name}: the output {tensor.name} holds {tensor.type}, not floating-point numbers"
    takes_one = graph.inputs[0].shape[:1] == (1,)
    # With one face at a time the batch dimension may be missing, and counts for nothing where it is there.
    shape = tensor.shape if takes_one else tensor.shape[1:]
    lengths = [length for length in shape if isinstance(length, int)]
    if not tensor.shape or len(lengths) != len(shape):
        return  # known only when the graph has run; select_columns looks again
    there = prod(lengths)
    first, end = attribute.slice or (0, there)
    if attribute.index is not None:
        first, end = attribute.index, attribute.index + 1
    if end > there:
        yield f"  {attribute.name}: {tensor.name} has {there} numbers a face, so there is no number {end - 1} (from 0)"
        return
    kind = kind_of(attribute)
    if end - first not in (widths := kind.widths(attribute)):
        wanted = f"{' or '.join(map(str, widths))} {kind.counted(attribute)}"
        yield f"  {attribute.name}: {wanted} are described, but {end - first} numbers a face are read"


def zipped_source(graph: Graph, output: str) -> str | None:
    """The tensor that a ZipMap node makes an output of; none where the output is not made by one."""
    return next((each.source for each in graph.zip_maps if each.output == output), None)


def what_is_there(graph: Graph, remedy: str | None = None) -> Lines:
    """The inputs and outputs that a file has, in the form of a hint, after what to do."""
    lines = [f"  input   {tensor}" for tensor in graph.inputs] + [f"  output  {tensor}" for tensor in graph.outputs]
    first = [] if remedy is None else remedy.splitlines()
    return Lines("\n".join(map(printable, [*first, "the file has", *lines])))
