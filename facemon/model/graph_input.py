"""A network's image input: what its file says of it, and what the network runs with where the file leaves it open."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from facemon.errors import FacemonError, UsageError
from facemon.model.description_faults import what_is_there
from facemon.model.graph import INPUT_TYPES, Graph, Tensor
from facemon.model.trial_runs import TrialRuns
from facemon.printable import Lines, printable

Layout = Literal["nchw", "nhwc"]
Size = tuple[int, int]
USUAL_SIDES = (224, 112, 128, 160, 192, 256, 64, 48, 96, 80, 32)
"""Sides of square inputs of networks that look at faces, the most usual one first."""
_RARE_SIDES = (99, 100, 227, 299, *range(16, 321, 8))
"""Further sides, which are tried where the network fails on all usual ones."""
_SHOWN = 5
"""Sizes in a sentence."""
_LAYOUTS: tuple[Layout, ...] = ("nchw", "nhwc")
_CHANNELS = (3, 1)


@dataclass(frozen=True, slots=True)
class AskedInput:
    """What the user says of an input; none = what the file says, or what is usual."""

    size: Size | None = None
    """Width and height."""
    layout: Layout | None = None


@dataclass(frozen=True, slots=True)
class GraphInput:
    """An input that the network was run with."""

    tensor: Tensor
    size: Size
    layout: Layout
    channels: int
    guesses: Mapping[str, str] = field(default_factory=dict)
    """By the key of the input's description, why its value is a guess, and what else it may be."""

    def probes(self, count: int) -> NDArray[Any]:
        """A few images of random pixels, the same ones each time, as the network takes them."""
        width, height = self.size
        shape = (self.channels, height, width) if self.layout == "nchw" else (height, width, self.channels)
        pixels = np.random.default_rng(0).integers(0, 256, (count, *shape))
        dtype = INPUT_TYPES[self.tensor.type]
        if np.issubdtype(dtype, np.integer):
            return (pixels - (128 if dtype is np.int8 else 0)).astype(dtype)
        return (pixels / 255).astype(dtype)


@dataclass(frozen=True, slots=True)
class InputStyle:
    """How pixels become numbers, as far as it is guessed: values of the keys of an input's description, with why."""

    channels: tuple[str, str] = ("rgb", "bgr where the training code read its images with OpenCV")
    fit: tuple[str, str] = ("stretch", "crop or pad where training kept the proportions")
    resample: tuple[str, str] = ("bilinear", "opencv_bilinear where training resized with cv2.resize")
    scale: tuple[str, str] = (repr(1 / 255), "then (pixel - mean) / std for each channel")
    mean: tuple[str, str] = ("[0, 0, 0]", "[0.485, 0.456, 0.406] is usual after ImageNet")
    std: tuple[str, str] = ("[1, 1, 1]", "[0.229, 0.224, 0.225] is usual after ImageNet")


_USUAL_STYLE = InputStyle()


def find_input(graph: Graph, asked: AskedInput, usual_sides: Sequence[int] = USUAL_SIDES) -> GraphInput:
    """The graph's input, in the first form that the network runs with.

    Where the file leaves the size, the layout or the channels open and `asked` does not say them, the usual ones are
    tried, in the order of `usual_sides`. FacemonError when the network does not take images, or fails on all that was
    tried; UsageError when it has several inputs, or `asked` contradicts the file.
    """
    tensor = _image_input(graph)
    kinds = [
        (layout, channels)
        for layout, channels in product([asked.layout] if asked.layout else _LAYOUTS, _CHANNELS)
        if _fits(_dimensions(tensor, layout)[0], channels)
    ]
    metadata = _size_of_metadata(graph)
    failures: dict[Size, str] = {}
    with TrialRuns(graph) as trials:
        for layout, channels in kinds:
            for sides in (usual_sides, _RARE_SIDES):
                sizes = _sizes(_dimensions(tensor, layout)[1:], asked, metadata, sides)
                found = {size: _failure(trials, GraphInput(tensor, size, layout, channels)) for size in sizes}
                if works := [size for size, failure in found.items() if failure is None]:
                    chosen = GraphInput(tensor, works[0], layout, channels)
                    size_guess = _size_guess(chosen, asked, metadata, works, sizes)
                    return replace(chosen, guesses=size_guess | _kind_guesses(trials, chosen, kinds))
                for size, failure in found.items():
                    failures.setdefault(size, failure or "")
    if failures:
        raise _nothing_runs(graph, asked, failures, open_layout=len({layout for layout, _ in kinds}) > 1)
    raise _no_form(graph, tensor, asked)


def input_lines(found: GraphInput, style: InputStyle = _USUAL_STYLE) -> Iterator[str]:
    """The description of an input, as lines of YAML, with each guess marked."""
    width, height = found.size
    yield f"name: {json.dumps(found.tensor.name)}"
    yield _line("size", f"[{width}, {height}]", found.guesses.get("size"))
    yield _line("layout", found.layout, found.guesses.get("layout"))
    if found.channels == 1:
        yield _line("channels", "gray", found.guesses.get("channels"))
    else:
        also = found.guesses.get("channels")
        yield _line("channels", style.channels[0], f"{style.channels[1]}{f'; {also}' if also else ''}")
    yield _line("fit", *style.fit)
    yield _line("resample", *style.resample)
    if "int" in found.tensor.type:
        yield "scale: 1                 # the network takes whole numbers"
        if found.tensor.type == "int8":
            yield _line("mean", "[128, 128, 128]", "from 0 to 255 to from -128 to 127")
    else:
        yield _line("scale", *style.scale)
        yield _line("mean", *style.mean)
        yield _line("std", *style.std)


def _line(key: str, value: str, guess: str | None) -> str:
    return f"{key}: {value}" if guess is None else f"{f'{key}: {value}':<24} # guess: {guess}"


def _image_input(graph: Graph) -> Tensor:
    if len(graph.inputs) != 1:
        wants = [printable(f"  {tensor}: {_wants(tensor)}") for tensor in graph.inputs]
        raise UsageError(
            Lines("\n".join([f"the model has {len(graph.inputs)} inputs; facemon feeds one, an image", *wants])),
            Lines(
                "give each other input a value in the file: export the network with it as a constant, or add an\n"
                "initializer of its name to the graph (onnx.numpy_helper.from_array(value, name))"
            ),
        )
    (tensor,) = graph.inputs
    if tensor.type not in INPUT_TYPES:
        raise FacemonError(f"the model's input takes {tensor.type}, not an image", what_is_there(graph))
    if len(tensor.shape) != 4:
        raise FacemonError(
            "the model's input is not a batch of images: it needs four dimensions, such as [n, 3, height, width]",
            what_is_there(graph),
        )
    return tensor


def _wants(tensor: Tensor) -> str:
    if tensor.type in INPUT_TYPES and len(tensor.shape) == 4 and _takes_images(tensor):
        return "images"
    lengths = tensor.shape[1:]
    if all(isinstance(length, int) for length in lengths):
        count = int(np.prod([length for length in lengths if isinstance(length, int)], dtype=np.int64))
        return f"{count} number{'s' if count != 1 else ''} for each face"
    return "not images"


def _takes_images(tensor: Tensor, layouts: Sequence[Layout] = _LAYOUTS) -> bool:
    return any(_fits(_dimensions(tensor, layout)[0], count) for layout in layouts for count in _CHANNELS)


def _dimensions(tensor: Tensor, layout: Layout) -> tuple[int | str | None, ...]:
    """What the file says of channels, height and width."""
    first, second, third = tensor.shape[1:]
    return (first, second, third) if layout == "nchw" else (third, first, second)


def _fits(declared: int | str | None, wanted: int) -> bool:
    return not _is_fixed(declared) or declared == wanted


def _is_fixed(declared: int | str | None) -> bool:
    return isinstance(declared, int) and declared > 0


def _sizes(
    declared: tuple[int | str | None, ...], asked: AskedInput, metadata: Size | None, sides: Sequence[int]
) -> list[Size]:
    """The sizes (width, height) to try for an input whose file says `declared`: height and width."""
    height, width = declared
    squares = [(side, side) for side in sides]
    usual = [asked.size] if asked.size else squares if metadata is None else [metadata, *squares]
    sizes = dict.fromkeys(
        (
            width if isinstance(width, int) and width > 0 else across,
            height if isinstance(height, int) and height > 0 else down,
        )
        for across, down in usual
    )
    if asked.size is not None and asked.size not in sizes:
        return []
    return [size for size in sizes if min(size) > 1]  # what is one pixel wide is a vector


def _failure(trials: TrialRuns, form: GraphInput) -> str | None:
    batch = form.tensor.shape[0]
    return trials.failure(form.probes(batch if isinstance(batch, int) and batch > 0 else 1))


def _size_guess(
    found: GraphInput, asked: AskedInput, metadata: Size | None, works: Sequence[Size], tried: Sequence[Size]
) -> dict[str, str]:
    _, height, width = _dimensions(found.tensor, found.layout)
    if asked.size is not None or (_is_fixed(height) and _is_fixed(width)):
        return {}
    if found.size == metadata:
        return {"size": "from imgsz in the file's metadata"}
    others = [f"{across}x{down}" for across, down in works[1:]]
    if not others:
        return {"size": f"the file does not say it; of {len(tried)} sizes that were tried this one alone runs"}
    also = ", ".join(others[:_SHOWN]) + (" …" if len(others) > _SHOWN else "")
    if len(works) == len(tried):
        return {"size": f"the network takes any size, also {also}: write the one of its training"}
    return {"size": f"the file does not say it; also these run: {also}"}


def _kind_guesses(trials: TrialRuns, found: GraphInput, kinds: Sequence[tuple[Layout, int]]) -> dict[str, str]:
    """What the file leaves open of layout and channels, and whether the network runs with the other ones."""
    guesses = {}
    for layout, channels in kinds:
        runs = "runs too" if _failure(trials, replace(found, layout=layout, channels=channels)) is None else "fails"
        if layout != found.layout and channels == found.channels:
            guesses["layout"] = f"the file does not say it; {layout} {runs}"
        elif layout == found.layout and channels != found.channels:
            guesses["channels"] = f"the file does not say how many; {'gray' if channels == 1 else 'rgb'} {runs}"
    return guesses


def _size_of_metadata(graph: Graph) -> Size | None:
    """Width and height that exporters write as `imgsz: [height, width]`."""
    numbers = [int(number) for number in re.findall(r"\d+", graph.metadata.get("imgsz", ""))]
    return (numbers[-1], numbers[0]) if 1 <= len(numbers) <= 2 and min(numbers) > 0 else None


def _no_form(graph: Graph, tensor: Tensor, asked: AskedInput) -> FacemonError:
    """Why an input has no form that an image can take."""
    layouts = [asked.layout] if asked.layout else _LAYOUTS
    if asked.layout and _takes_images(tensor) and not _takes_images(tensor, layouts):
        return UsageError(f"--layout {asked.layout} does not fit the model's input", what_is_there(graph))
    if asked.size and _takes_images(tensor, layouts):
        across, down = asked.size
        return UsageError(f"--size {across}x{down} does not fit the model's input", what_is_there(graph))
    channels = _dimensions(tensor, layouts[0])[0]
    return FacemonError(f"the model's input has {channels} channels; facemon feeds 1 or 3", what_is_there(graph))


def _nothing_runs(graph: Graph, asked: AskedInput, failures: Mapping[Size, str], *, open_layout: bool) -> FacemonError:
    """The error of a network that ran with no size; `failures` are in the order of the trials."""
    sizes = [f"{across}x{down}" for across, down in failures]
    reason = next(iter(failures.values()))
    if asked.size is not None:
        hint = what_is_there(graph, "without --size facemon init tries the usual sizes")
        return UsageError(f"the model does not run on an image of {sizes[0]}: {reason}", hint)
    if len(failures) == 1:
        return FacemonError(f"the model does not run on an image of {sizes[0]}: {reason}", what_is_there(graph))
    shown = ", ".join(sizes[:_SHOWN]) + (" …" if len(sizes) > _SHOWN else "")
    remedy = "say the size of its training with --size WIDTHxHEIGHT"
    if open_layout:
        remedy += ", and its layout with --layout nchw or nhwc"
    return FacemonError(
        f"the model runs on none of the {len(sizes)} sizes that were tried, {shown}; on {sizes[0]}: {reason}",
        what_is_there(graph, remedy),
    )
