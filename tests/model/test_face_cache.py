"""dlib's detector is the same from the cache as from dlib."""

import os
import shutil
from pathlib import Path

import dlib
import numpy as np
import pytest
from PIL import Image

from facemon.model.dlib_faces import cache_folder, frontal_detector


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the detector, which takes long to make."""
    folder = tmp_path_factory.mktemp("made") / "cache"
    frontal_detector(dlib, folder)
    return folder


@pytest.fixture
def cache(made: Path, tmp_path: Path) -> Path:
    """A copy of `made`, for one test."""
    return shutil.copytree(made, tmp_path / "cache")


def test_a_kept_detector_finds_what_a_new_one_finds(tmp_path: Path, astronaut: Path) -> None:
    with Image.open(astronaut) as file:
        pixels = np.asarray(file.convert("RGB"))
    new = frontal_detector(dlib, tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()
    again = frontal_detector(dlib, tmp_path / "cache")
    assert [(box, score) for box, score in zip(*new.run(pixels, 1)[:2], strict=True)] == [
        (box, score) for box, score in zip(*again.run(pixels, 1)[:2], strict=True)
    ]
    assert len(again(pixels, 0)) == 1
    assert dlib.__version__ in kept.name


def test_a_damaged_file_is_replaced(cache: Path) -> None:
    (kept,) = cache.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[:1000])
    frontal_detector(dlib, cache)
    assert kept.read_bytes() == whole


def test_what_another_user_may_have_written_is_neither_read_nor_replaced(cache: Path) -> None:
    (kept,) = cache.iterdir()
    kept.write_bytes(b"damaged")
    kept.chmod(0o666)
    cache.chmod(0o777)
    assert frontal_detector(dlib, cache) is not None
    assert kept.read_bytes() == b"damaged"
    # Reading a pipe without a writer would wait for ever.
    kept.unlink()
    os.mkfifo(kept)
    assert frontal_detector(dlib, cache) is not None
    cache.chmod(0o700)
    assert frontal_detector(dlib, cache) is not None
    assert kept.is_file()


def test_without_a_place_it_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (None, tmp_path / "file" / "below"):
        assert frontal_detector(dlib, folder) is not None


def test_the_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "facemon"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "facemon"
