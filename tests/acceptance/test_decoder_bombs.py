"""Files that cost a decoder much, for `predict` and the API: each is an error row, and good images are predicted."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.acceptance.served import served
from tests.acceptance.small_model import write_small_model
from tests.conftest import RunFacemon
from tests.model.decoder_bombs import BOMBS, progressive_jpeg
from tests.model.onnx_files import flat_image

_LIMITS = "max_decode_seconds: 0.1, max_decode_memory: 96MiB"
_FORMATS = "formats: [jpeg, png, webp, bmp, tiff, gif, ppm, jpeg2000, avif, heif]"
_REFUSED = {"too_slow", "too_large", "unreadable"}


@pytest.fixture(scope="module")
def bombs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bombs")
    for number, (name, make) in enumerate(BOMBS.items()):
        (folder / f"{number:02} {name}.jpg").write_bytes(make())
    return folder


@pytest.mark.parametrize("threads", ["1", "2"])
def test_predict_logs_each_once_and_all_good_images(
    tmp_path: Path, bombs: Path, facemon: RunFacemon, threads: str
) -> None:
    write_small_model(tmp_path, f"predict: {{{_LIMITS}}}\n")
    for number in range(20):
        flat_image(tmp_path / f"{number}.png", (number, 0, 0))
    ran = facemon("predict", ".", str(bombs), "--threads", threads, "--format", "jsonl", cwd=tmp_path)
    assert ran.returncode == 1
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len({row["image"] for row in rows}) == len(rows) == 20 + len(BOMBS)
    errors = {row["image"]: row["error"] for row in rows if row["error"]}
    assert all(str(bombs) in image for image in errors)
    assert len(errors) >= len(BOMBS) - 1, "one format may be quick enough"
    assert set(errors.values()) <= _REFUSED
    assert "too_slow" in errors.values()
    assert facemon("store", "verify", cwd=tmp_path).returncode == 0


def test_what_failed_is_retried_with_more_time(tmp_path: Path, facemon: RunFacemon) -> None:
    write_small_model(tmp_path, "predict: {max_decode_seconds: 0.05}\n")
    (tmp_path / "slow.jpg").write_bytes(progressive_jpeg(3000, 90))
    flat_image(tmp_path / "good.png", (255, 0, 0))
    assert facemon("predict", "-q", "slow.jpg", "good.png", cwd=tmp_path).returncode == 1
    write_small_model(tmp_path)
    assert facemon("predict", "-q", "slow.jpg", "good.png", "--retry-failed", cwd=tmp_path).returncode == 0
    assert json.loads(facemon("store", "info", "--json", cwd=tmp_path).stdout)["rows"] == 2
    assert facemon("store", "verify", cwd=tmp_path).returncode == 0


def test_the_api_answers_each_and_good_images_meanwhile(tmp_path: Path, bombs: Path, facemon: RunFacemon) -> None:
    write_small_model(tmp_path, f"api: {{{_LIMITS}, {_FORMATS}, workers: 2, cache_size: 0}}\n")
    good = flat_image(tmp_path / "a.png", (255, 0, 0)).read_bytes()
    contents = [path.read_bytes() for path in sorted(bombs.iterdir())]
    sent = [content for content in contents if len(content) < 2**24]
    with served(tmp_path) as api, ThreadPoolExecutor(4) as clients:
        answers = [clients.submit(api.ask, "POST", "/predict", content) for content in sent]
        assert [api.ask("POST", "/predict", good)[0] for _ in range(30)] == [200] * 30
        codes = [answer.result()[0] for answer in answers]
        assert set(codes) <= {200, 413, 422}
        assert codes.count(200) <= 1
        assert api.ask("GET", "/ready") == (200, "ready\n")
        assert api.stop() == 0
        assert api.said[1:] == ["stopped; every prediction is logged"], "no worker has ended"
    info = json.loads(facemon("store", "info", "--json", cwd=tmp_path).stdout)
    assert info["rows"] == 30 + len(sent)


def test_by_default_the_api_takes_three_formats(tmp_path: Path, bombs: Path) -> None:
    write_small_model(tmp_path)
    with served(tmp_path, "--workers", "1") as api:
        for name in ("tiff, huge tile", "jpeg2000, many pixels", "gif, many comments"):
            (path,) = bombs.glob(f"* {name}.jpg")
            status, text = api.ask("POST", "/predict", path.read_bytes())
            assert status == 422
            assert json.loads(text)["message"].endswith("are not accepted here, only jpeg, png, webp")
        assert api.ask("POST", "/predict", progressive_jpeg(6000, 400))[0] == 422
        assert api.stop() == 0
