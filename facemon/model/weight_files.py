"""Files of weights: how each one is read, and what a file that is not an ONNX model is instead."""

import zipfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from facemon.errors import FacemonError
from facemon.regular_file import open_regular, read_regular

_LARGEST_MODEL = 2 << 30
"""Bytes of a file: protobuf, in which ONNX is written, allows no more."""
_HEAD = 1024
"""Bytes at the beginning of a file that say what it is."""
_FETCH = "fetch the model itself"
_EXPORT = "export the network to ONNX"
_TORCH = ("is a PyTorch checkpoint, not an ONNX model", f"{_EXPORT}: torch.onnx.export(model, image, 'net.onnx')")
_ARCHIVE = f"unpack it, and name the .onnx file that it holds, or {_FETCH}"
_MAGIC = (
    # The magic number that torch.save wrote before version 1.6: a pickled integer.
    (0, b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19", *_TORCH),
    (0, b"\x80\x02", "is a Python pickle, not an ONNX model", _EXPORT),
    (0, b"\x80\x03", "is a Python pickle, not an ONNX model", _EXPORT),
    (0, b"\x80\x04", "is a Python pickle, not an ONNX model", _EXPORT),
    (0, b"\x80\x05", "is a Python pickle, not an ONNX model", _EXPORT),
    (0, b"\x89HDF\r\n\x1a\n", "is an HDF5 file, as Keras writes it, not an ONNX model",
     f"{_EXPORT}: python -m tf2onnx.convert --keras FILE.h5 --output net.onnx"),
    (4, b"TFL3", "is a TensorFlow Lite model, not an ONNX model",
     f"{_EXPORT}: python -m tf2onnx.convert --tflite FILE.tflite --output net.onnx"),
    (4, b'\0\0\0\0{"', "is a safetensors file, which holds weights without their network", _EXPORT),
    (0, b"\x1f\x8b", "is compressed with gzip", f"unpack it: gzip -d < FILE > net.onnx, or {_FETCH}"),
    (0, b"BZh", "is compressed with bzip2", _ARCHIVE),
    (0, b"\xfd7zXZ\0", "is compressed with xz", _ARCHIVE),
    (0, b"\x28\xb5\x2f\xfd", "is compressed with zstd", _ARCHIVE),
    (0, b"7z\xbc\xaf\x27\x1c", "is a 7-Zip archive", _ARCHIVE),
    (257, b"ustar", "is a tar archive", _ARCHIVE),
)  # fmt: skip
"""Where in a file which bytes say that it is not an ONNX model, what it is instead, and what to do."""


def read_weights(path: Path, fault: str, hint: str) -> bytes:
    """Read a file of weights.

    FacemonError `PATH: FAULT: REASON` with the hint where it cannot be read, and `PATH: is …` where its bytes are not
    an ONNX model but something that is often found in the place of one.
    """
    try:
        content = read_regular(path, _LARGEST_MODEL)
    except OSError as error:
        raise FacemonError(f"{path}: {fault}: {(error.strerror or str(error)).lower()}", hint) from error
    refuse_other_kinds(content, str(path))
    return content


def refuse_other_kinds(content: bytes, name: str) -> None:
    """Raise a FacemonError where bytes are known not to be an ONNX model: it says what they are and what to do."""
    if kind := _other_kind(content):
        message, hint = kind
        raise FacemonError(f"{name}: {message}", hint)


def refuse_pointers(paths: Iterable[Path]) -> None:
    """Raise a FacemonError where one of the files in which a model keeps weights is text, such as a Git LFS pointer."""
    for path in paths:
        with open_regular(path) as file:
            head = file.read(_HEAD)
        if head and _is_text(head):
            message, hint = _text_kind(head)
            raise FacemonError(f"{path}: {message}", hint)


def _other_kind(content: bytes) -> tuple[str, str] | None:
    head = content[:_HEAD]
    if not head.strip():
        return "is empty" if not content else "is blank", _FETCH
    for place, magic, message, hint in _MAGIC:
        if head[place:].startswith(magic):
            return message, hint
    if head.startswith(b"PK\x03\x04"):
        return _zip_kind(content)
    return _text_kind(head) if _is_text(head) else None


def _zip_kind(content: bytes) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        names = []
    if any(name.endswith("data.pkl") for name in names):
        return _TORCH
    if "model.weights.h5" in names:
        return "is a Keras model, not an ONNX model", _EXPORT
    return "is a zip archive", _ARCHIVE


def _is_text(head: bytes) -> bool:
    """Whether bytes are text; the first one of an ONNX file is a control character (the tag of its first field)."""
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # else a character that the end of `head` cuts
            return False
        text = head[: error.start].decode("utf-8-sig")
    return all(sign.isprintable() or sign in "\t\r\n" for sign in text)


def _text_kind(head: bytes) -> tuple[str, str]:
    text = head.decode("utf-8-sig", "replace").strip().lower()
    if text.startswith("version https://git-lfs.github.com/spec/"):
        return "is a Git LFS pointer, not the model", "get the model file: git lfs pull"
    if "/annex/objects/" in text:
        return "is a git-annex pointer, not the model", "get the model file: git annex get FILE"
    if text.startswith(("<!doctype html", "<html", "<head")):
        raw = (
            "download the file itself, on GitHub from its raw address, on Hugging Face from /resolve/ instead of /blob/"
        )
        return "is a web page (HTML), not the model", raw
    return "is text, not an ONNX model", _FETCH
