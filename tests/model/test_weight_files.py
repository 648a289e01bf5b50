"""What is named for what it is where a model should be, wherever weights are read."""

import gzip
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemon.config.model import FacesConfig
from facemon.errors import FacemonError
from facemon.model.bundle import load_bundle
from facemon.model.faces import face_finder
from facemon.model.graph_files import GraphFile
from facemon.model.weight_files import read_weights, refuse_other_kinds
from tests.model.onnx_files import model_of, write_identity_model, write_weighted_model

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"7" * 64 + b"\nsize 1734227\n"


def zipped(*names: str) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"1")
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("net.onnx"))
    return buffer.getvalue()


KINDS: dict[str, tuple[bytes, str, str]] = {
    "a Git LFS pointer": (POINTER, "is a Git LFS pointer, not the model", "git lfs pull"),
    "a git-annex pointer": (b"/annex/objects/SHA256E-s9--ab.onnx\n", "is a git-annex pointer", "git annex get"),
    "a page": (b"\n<!DOCTYPE html>\n<html><body>\xc3\xa4", "is a web page (HTML)", "raw"),
    "a page with a byte order mark": (b"\xef\xbb\xbf<html>", "is a web page (HTML)", "raw"),
    "a page, cut within a character": (b"<html>" + 2000 * "ä".encode(), "is a web page (HTML)", "raw"),
    "an answer of a server": (b'{"error": "not found"}', "is text, not an ONNX model", "fetch"),
    "gzip": (gzip.compress(b"net"), "is compressed with gzip", "gzip -d"),
    "zip": (zipped("net.onnx"), "is a zip archive", "unpack"),
    "a cut zip": (zipped("net.onnx")[:40], "is a zip archive", "unpack"),
    "tar": (tarred(), "is a tar archive", "unpack"),
    "PyTorch": (zipped("net/data.pkl", "net/data/0"), "is a PyTorch checkpoint", "torch.onnx.export"),
    "PyTorch before 1.6": (
        pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2) + b"more", "is a PyTorch checkpoint", "torch.onnx.export",
    ),
    "scikit-learn": (pickle.dumps({"a": 1}), "is a Python pickle", "export"),
    "Keras 3": (zipped("config.json", "model.weights.h5"), "is a Keras model", "export"),
    "Keras": (b"\x89HDF\r\n\x1a\n" + bytes(40), "is an HDF5 file", "tf2onnx"),
    "TensorFlow Lite": (b"\x1c\0\0\0TFL3" + bytes(40), "is a TensorFlow Lite model", "tf2onnx"),
    "safetensors": (b"\x40" + bytes(7) + b'{"a": {}}', "is a safetensors file", "export"),
    "nothing": (b"", "is empty", "fetch"),
    "blanks": (b" \n", "is blank", "fetch"),
}  # fmt: skip


def as_network(path: Path) -> None:
    load_bundle(model_of(path, [{"name": "a", "output": "seen", "kind": "number", "index": 0}]))


def as_finder(path: Path) -> None:
    pixels = {"name": "input", "size": [8, 8]}
    detector = {"input": pixels, "scores": {"outputs": ["s"]}, "boxes": {"outputs": ["b"]}}
    face_finder(FacesConfig.model_validate({"finder": "onnx", "weights": str(path), "detector": detector}))


def as_yunet(path: Path) -> None:
    face_finder(FacesConfig(finder="yunet", weights=path))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_named_with_what_to_do(tmp_path: Path, kind: str) -> None:
    content, message, hint = KINDS[kind]
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(FacemonError) as caught:
        read_weights(path, "cannot be read", "")
    assert caught.value.message.startswith(f"{path}: {message}")
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize("read", [as_network, as_finder, as_yunet])
def test_a_pointer_is_named_wherever_weights_are_read(tmp_path: Path, read: Callable[[Path], None]) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(POINTER)
    with pytest.raises(FacemonError, match="is a Git LFS pointer, not the model"):
        read(path)


def test_a_pointer_in_the_place_of_weights_beside_the_model(tmp_path: Path) -> None:
    path = write_weighted_model(tmp_path / "net.onnx", "net.onnx.data")
    (tmp_path / "net.onnx.data").write_bytes(POINTER)
    with pytest.raises(FacemonError, match=r"net\.onnx\.data: is a Git LFS pointer"):
        GraphFile(path.read_bytes(), str(path), tmp_path).opened()


def test_models_are_not_taken_for_something_else(tmp_path: Path) -> None:
    content = write_identity_model(tmp_path / "a.onnx").read_bytes()
    assert read_weights(tmp_path / "a.onnx", "", "") == content
    refuse_other_kinds(b"\x08\x07" + content, "a")


def refusal(content: bytes) -> FacemonError | None:
    try:
        refuse_other_kinds(content, "net.onnx")
    except FacemonError as error:
        return error
    return None


@given(st.binary(max_size=400), st.sampled_from([content[:40] for content, _, _ in KINDS.values()]))
def test_any_bytes_are_refused_or_let_through(noise: bytes, head: bytes) -> None:
    for content in (noise, head + noise):
        error = refusal(content)
        assert error is None or (error.message.startswith("net.onnx: is ") and error.hint)
