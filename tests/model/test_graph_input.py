"""The input of a network whose file leaves something open, and what is said of it."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

from facemon.errors import FacemonError, UsageError
from facemon.model.graph import Graph, Numbers
from facemon.model.graph_files import GraphFile
from facemon.model.graph_input import USUAL_SIDES, AskedInput, GraphInput, find_input
from facemon.model.sessions import OnnxSession
from facemon.model.trial_runs import TrialRuns
from tests.model.open_files import save_graph, tensor, write_dense, write_pooled, write_with_age
from tests.short_form import combinations


def load(path: Path) -> Graph:
    return GraphFile(path.read_bytes(), path.name, path.parent).opened()


def found(path: Path, **asked: Any) -> GraphInput:
    return find_input(load(path), AskedInput(**asked))


@pytest.mark.parametrize(
    ("side", "channels", "layout"), combinations([USUAL_SIDES[0], USUAL_SIDES[-1], 99], [3, 1], ["nchw", "nhwc"])
)
def test_the_only_form_that_a_network_runs_with_is_found(tmp_path: Path, layout: str, channels: int, side: int) -> None:
    form = found(write_dense(tmp_path / "net.onnx", (side, side), layout=layout, channels=channels))
    assert (form.size, form.layout, form.channels) == ((side, side), layout, channels)
    assert set(form.guesses) == {"size", "layout", "channels"}
    assert "this one alone runs" in form.guesses["size"]
    assert "fails" in form.guesses["layout"]


def test_a_network_for_any_size_gets_the_usual_one_and_the_others_are_named(tmp_path: Path) -> None:
    form = found(write_pooled(tmp_path / "net.onnx"))
    assert form.size == (224, 224)
    assert "takes any size, also 112x112, 128x128" in form.guesses["size"]
    assert found(write_pooled(tmp_path / "net.onnx"), size=(20, 30)).size == (20, 30)


def test_what_the_user_says_is_not_a_guess(tmp_path: Path) -> None:
    path = write_dense(tmp_path / "net.onnx", (20, 12), layout="nhwc")
    form = found(path, size=(20, 12), layout="nhwc")
    assert (form.size, form.layout, dict(form.guesses)) == ((20, 12), "nhwc", {"channels": form.guesses["channels"]})
    with pytest.raises(UsageError, match="does not run on an image of 12x20"):
        found(path, size=(12, 20))
    with pytest.raises(
        FacemonError, match=r"runs on none of the \d+ sizes that were tried, 224x224, 112x112"
    ) as caught:
        found(path)
    assert "--size WIDTHxHEIGHT, and its layout with --layout" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("declared", "layout"),
    [
        (["n", None, 32, 32], "nchw"),
        (["n", 32, 32, None], "nhwc"),
        (["n", 3, None, None], "nchw"),
        (["n", None, None, 3], "nhwc"),
        ([1, "c", "h", 32], "nchw"),
        ([2, 3, 32, 32], "nchw"),
    ],
)
def test_what_the_file_says_is_kept(tmp_path: Path, declared: list[Any], layout: str) -> None:
    form = found(write_dense(tmp_path / "net.onnx", (32, 32), layout=layout, declared=declared))
    assert (form.size, form.layout, form.channels) == ((32, 32), layout, 3)
    open_dimensions = [length for length in declared[1:] if not isinstance(length, int)]
    assert bool(form.guesses) is bool(open_dimensions)


@pytest.mark.parametrize(("size", "says"), [((32, 24), "from imgsz"), ((32, 32), "this one alone runs")])
def test_a_size_in_the_metadata_goes_first(tmp_path: Path, size: tuple[int, int], says: str) -> None:
    form = found(write_dense(tmp_path / "net.onnx", size, metadata={"imgsz": "[24, 32]"}))
    assert form.size == size
    assert says in form.guesses["size"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [({"size": (64, 64)}, "--size 64x64 does not fit"), ({"layout": "nhwc"}, "--layout nhwc does not fit")],
)
def test_what_contradicts_the_file_is_refused(tmp_path: Path, asked: Any, message: str) -> None:
    path = write_dense(tmp_path / "net.onnx", (32, 32), declared=["n", 3, 32, 32])
    with pytest.raises(UsageError, match=message) as caught:
        found(path, **asked)
    assert "image float [n, 3, 32, 32]" in str(caught.value.hint)


def test_a_vector_is_not_an_image(tmp_path: Path) -> None:
    nodes = [helper.make_node("Flatten", ["image"], ["hair"])]
    path = save_graph(tmp_path / "v.onnx", nodes, [tensor("image", [1, 900, 1, 1])], [tensor("hair", [1, 900])], {})
    with pytest.raises(FacemonError, match="900 channels; facemon feeds 1 or 3"):
        found(path)


def test_further_inputs_are_named_with_what_they_want(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has 2 inputs") as caught:
        found(write_with_age(tmp_path / "net.onnx", has_value=False))
    assert "image float [n, 3, 6, 5]: images" in caught.value.message
    assert "age float [1, 1]: 1 number for each face" in caught.value.message
    assert "initializer" in str(caught.value.hint)
    assert found(write_with_age(tmp_path / "net.onnx", has_value=True)).size == (5, 6)


class Dying(OnnxSession):
    """A session in which onnxruntime ends its process on small images, as by a pooling that divides by zero.

    With onnxruntime 1.30 a convolution, a Relu and a pooling over nothing do so, but on some processors only.
    """

    def run(self, input_name: str, batch: Numbers, output_names: Sequence[str] | None) -> list[Any]:
        if batch.shape[2] < 100:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().run(input_name, batch, output_names)


def test_a_size_at_which_onnxruntime_ends_its_process_is_a_failure(tmp_path: Path) -> None:
    path = write_pooled(tmp_path / "net.onnx")
    graph = Graph(Dying(path.read_bytes(), path.name, ("cpu",), None), path.name)
    with TrialRuns(graph) as trials:
        outcomes = [trials.failure(np.zeros((1, 3, side, side), np.float32)) for side in (64, 128, 96, 128)]
    assert outcomes == ["onnxruntime ended its process", None] * 2
    form = find_input(graph, AskedInput(), (64, 128, 112))
    assert form.size == (128, 128)
    assert "also these run: 112x112" in form.guesses["size"]
