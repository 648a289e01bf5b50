"""ZipMap outputs: what they are made of is read, and the rest of such a graph is not disturbed."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from facemon.errors import FacemonError
from facemon.model.bundle import load_bundle
from facemon.model.graph_files import GraphFile
from facemon.model.zip_maps import with_sources, zip_maps
from tests.model.onnx_files import model_of, write_identity_model
from tests.model.open_files import write_sequence, write_zipped

INPUT: Any = {"name": "image", "size": [5, 6]}
_LABELS = st.one_of(
    st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5).map(lambda names: {"classlabels_strings": names}),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=5).map(lambda names: {"classlabels_int64s": names}),
)


@given(_LABELS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_labels_are_those_that_the_package_onnx_reads(tmp_path: Path, labels: Any) -> None:
    content = write_zipped(tmp_path / "z.onnx", labels=labels).read_bytes()
    node = next(each for each in onnx.load_from_string(content).graph.node if each.op_type == "ZipMap")
    (expected,) = (onnx.helper.get_attribute_value(each) for each in node.attribute)
    (found,) = zip_maps(content)
    assert (found.source, found.output) == (node.input[0], node.output[0])
    assert found.labels == tuple(each.decode() if isinstance(each, bytes) else str(each) for each in expected)


@pytest.mark.parametrize("is_output", [False, True])
def test_the_source_is_an_output_once_and_nothing_else_changes(tmp_path: Path, is_output: bool) -> None:
    labels = {"classlabels_strings": ["no", "yes"]}
    content = write_zipped(tmp_path / "z.onnx", labels=labels, source_is_output=is_output).read_bytes()
    changed = onnx.load_from_string(with_sources(content, zip_maps(content)))
    names = [output.name for output in changed.graph.output]
    assert names == ["output_label", "output_probability", "probabilities"]
    plain = onnx.load_from_string(content)
    del changed.graph.output[:], plain.graph.output[:]
    assert changed == plain


def test_a_file_without_zip_maps_stays_as_it_is(tmp_path: Path) -> None:
    content = write_identity_model(tmp_path / "a.onnx").read_bytes()
    assert with_sources(content, zip_maps(content)) is content
    assert zip_maps(b"ZipMap, but not an ONNX file") == ()


def test_a_bundle_reads_the_source(tmp_path: Path) -> None:
    path = write_zipped(tmp_path / "z.onnx", labels={"classlabels_strings": ["no", "yes"]})
    attribute = {"name": "a", "output": "probabilities", "kind": "categorical", "labels": ["no", "yes"]}
    bundle = load_bundle(model_of(path, [attribute], **INPUT))
    pixels = np.asarray(Image.new("RGB", (5, 6), (200, 20, 90)))
    columns, _ = bundle.run([[pixels, pixels]])
    graph = GraphFile(path.read_bytes(), "z").opened()
    batch = (pixels.transpose(2, 0, 1)[np.newaxis] / 255).astype(np.float32)
    (mappings,) = graph.run_plainly("image", batch, ["output_probability"])
    assert columns["a"][0] == pytest.approx(list(mappings[0].values()), abs=1e-6)


@pytest.mark.parametrize("output", ["output_probability", "output_label"])
def test_outputs_that_are_not_numbers_are_named(tmp_path: Path, output: str) -> None:
    path = write_zipped(tmp_path / "z.onnx", labels={"classlabels_int64s": [0, 1]})
    attribute = {"name": "a", "output": output, "kind": "categorical", "labels": ["0", "1"]}
    with pytest.raises(FacemonError, match=output) as caught:
        load_bundle(model_of(path, [attribute], **INPUT))
    assert "output_probability seq(map(int64,tensor(float)))" in str(caught.value.hint)


def test_a_sequence_beside_the_described_output_is_no_matter(tmp_path: Path) -> None:
    path = write_sequence(tmp_path / "s.onnx", beside=True)
    load_bundle(model_of(path, [{"name": "a", "output": "hair", "kind": "number", "index": 0}], **INPUT))
    with pytest.raises(FacemonError, match="parts"):
        load_bundle(model_of(path, [{"name": "a", "output": "parts", "kind": "number", "index": 0}], **INPUT))
