"""Files that cost a decoder much end within their budget of time and memory, and the next image is decoded."""

import os
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

from facemon.config.serving import PredictConfig
from facemon.domain.image_header import MOST_SCANS, read_header
from facemon.domain.image_input import ImageProblem
from facemon.domain.prediction import ErrorCode
from facemon.model.bounded_decoding import BoundedDecoder, Undecoded
from facemon.model.decoder_process import DecoderEnded, DecoderProcess
from facemon.model.decoding import DecodedImage, decode_image
from tests.model.decoder_bombs import BOMBS, progressive_jpeg, saved
from tests.patience import wait_until

SECONDS, MEMORY = 0.1, 128 * 2**20


@cache
def bomb(name: str) -> bytes:
    return BOMBS[name]()


def children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def started_cpu() -> float:
    """What a process that decodes one small image takes in all."""
    before = children_cpu()
    process = DecoderProcess()
    process.call(len, b"", seconds=60.0, memory=MEMORY)
    process.end()
    return children_cpu() - before


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_each_bomb_ends_within_its_budget(name: str) -> None:
    content = bomb(name)
    decoder = BoundedDecoder(PredictConfig(max_decode_seconds=SECONDS, max_decode_memory=MEMORY))
    started = started_cpu()
    children, own = children_cpu(), time.process_time()
    answer = decoder.decode(content)
    own = time.process_time() - own
    while decoder._idle:
        decoder._idle.pop().end()
    # Ten times: the kernel's clock ticks, copies and letting go of memory take time, and a processor may be shared.
    assert children_cpu() - children < 10 * (SECONDS + started)
    assert own < 10 * (SECONDS + started)
    if isinstance(answer, Undecoded):
        # A decoder that is refused memory may crash instead of saying so, which ends within the budget too.
        codes = (ErrorCode.TOO_SLOW, ErrorCode.TOO_LARGE, ErrorCode.UNREADABLE, ErrorCode.CRASHED)
        assert answer.problem.code in codes
    else:
        assert name.startswith("avif"), "all others take more"
    after = decoder.decode(saved("TIFF", (8, 8)))
    assert isinstance(after, DecodedImage), "the next image is decoded"


@pytest.mark.parametrize(
    ("file_format", "mode"),
    [
        ("PNG", "RGB"),
        ("PNG", "I;16"),
        ("TIFF", "L"),
        ("TIFF", "I;16"),
        ("WEBP", "RGB"),
        ("JPEG2000", "RGB"),
        ("HEIF", "L"),
    ],
)
def test_what_fails_for_want_of_memory_says_so(file_format: str, mode: str) -> None:
    # Some decoders say that they were refused it, some call it damage, and OpenBLAS ends the process.
    decoder = BoundedDecoder(PredictConfig(max_decode_memory=6 * 2**20))
    answer = decoder.decode(saved(file_format, (1600, 1600), mode))
    assert isinstance(answer, Undecoded)
    assert answer.problem.code == ErrorCode.TOO_LARGE
    assert "max_decode_memory" in answer.problem.message


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF", "GIF", "BMP", "PPM", "JPEG2000", "AVIF", "HEIF"])
def test_a_process_of_its_own_decodes_to_the_same_pixels(file_format: str) -> None:
    content = saved(file_format, (640, 480), color=(200, 90, 10))
    # So little memory that it is not decoded here, and three times of what it takes there.
    decoder = BoundedDecoder(PredictConfig(max_decode_memory=2**22 if file_format == "JPEG" else 2**30))
    answer = decoder.decode(content)
    expected = decode_image(content, 10**6)
    assert isinstance(answer, DecodedImage)
    assert isinstance(expected, DecodedImage)
    assert (answer.image.tobytes(), answer.size) == (expected.image.tobytes(), expected.size)
    # What a feature or a network does next.
    assert answer.image.reduce(2).tobytes() == expected.image.reduce(2).tobytes()
    assert answer.image.resize((9, 9)).tobytes() == expected.image.resize((9, 9)).tobytes()
    assert len(decoder._idle) == 1


def test_dates_turns_and_scales_are_the_same_there() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x9003] = "2026:11:20 10:00:00"
    content = saved("JPEG", (640, 480), progressive=True, exif=exif)
    options = {"dated_by": datetime(2026, 11, 23, tzinfo=UTC), "needed": lambda size: (size[0] / 4, size[1] / 4)}
    here = decode_image(content, 10**6, **options)  # type: ignore[arg-type]
    # So little memory that it is not decoded here, and enough for it there.
    decoder = BoundedDecoder(PredictConfig(max_decode_memory=2**22))
    assert not decoder._is_quick(content, read_header(content))
    there = decoder.decode(content, **options)  # type: ignore[arg-type]
    assert isinstance(here, DecodedImage)
    assert isinstance(there, DecodedImage)
    assert (there.size, there.image.size, there.taken_at) == (here.size, here.image.size, here.taken_at)
    assert there.size == (480, 640)
    assert there.taken_at is not None
    assert there.image.tobytes() == here.image.tobytes()


def test_what_is_quick_needs_no_process() -> None:
    decoder = BoundedDecoder(PredictConfig())
    for content in (saved("JPEG", (640, 480)), saved("PNG", (640, 480)), saved("WEBP", (640, 480)), b"text", b""):
        decoder.decode(content)
    assert decoder._idle == []


def test_more_scans_than_any_encoder_writes_are_refused_before_decoding() -> None:
    decoder = BoundedDecoder(PredictConfig())
    allowed, refused = progressive_jpeg(8, MOST_SCANS - 2), progressive_jpeg(8, MOST_SCANS - 1)
    assert isinstance(decoder.decode(allowed), DecodedImage)
    message = f"the JPEG has {MOST_SCANS + 1} scans; at most {MOST_SCANS} are decoded"
    assert decoder.decode(refused) == Undecoded(ImageProblem(ErrorCode.TOO_SLOW, message))


def test_formats_that_are_not_accepted_are_named() -> None:
    decoder = BoundedDecoder(PredictConfig(formats=("jpeg", "png")))
    for file_format in ("GIF", "WEBP", "TIFF"):
        answer = decoder.decode(saved(file_format, (8, 8)))
        assert isinstance(answer, Undecoded)
        expected = f"images in the format {file_format.lower()} are not accepted here, only jpeg, png"
        assert answer.problem == ImageProblem(ErrorCode.UNREADABLE, expected)
    assert isinstance(decoder.decode(saved("PNG", (8, 8))), DecodedImage)


def crash(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGPROF])
def test_how_a_process_ended_is_told(number: signal.Signals) -> None:
    process = DecoderProcess()
    with pytest.raises(DecoderEnded) as ended:
        process.call(crash, int(number), seconds=10.0, memory=MEMORY)
    assert ended.value.signal == number


def test_a_decoder_that_was_killed_from_outside_is_replaced() -> None:
    decoder = BoundedDecoder(PredictConfig())
    content = saved("TIFF", (8, 8))
    for _ in range(3):
        assert isinstance(decoder.decode(content), DecodedImage)
        decoder._idle[0]._process.kill()


def test_threads_have_processes_of_their_own() -> None:
    decoder = BoundedDecoder(PredictConfig())
    contents = [saved("TIFF", (8 + index, 8)) for index in range(12)]
    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(decoder.decode, contents))
    assert [answer.size for answer in answers if isinstance(answer, DecodedImage)] == [(8 + i, 8) for i in range(12)]
    assert 1 <= len(decoder._idle) <= 3


def test_a_copy_of_the_process_begins_its_own() -> None:
    decoder = BoundedDecoder(PredictConfig())
    assert isinstance(decoder.decode(saved("TIFF", (8, 8))), DecodedImage)
    (before,) = decoder._idle
    child = os.fork()
    if not child:
        is_decoded = isinstance(decoder.decode(saved("TIFF", (9, 9))), DecodedImage)
        os._exit(0 if is_decoded and decoder._idle[0] is not before else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert isinstance(decoder.decode(saved("TIFF", (8, 8))), DecodedImage)
    assert decoder._idle == [before]


def test_it_ends_with_the_process_that_uses_it(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "from facemon.model.decoder_process import DecoderProcess\n"
        "process = DecoderProcess()\n"
        "print(process._process.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ran.returncode == -signal.SIGKILL
    decoder = int(ran.stdout)
    wait_until(lambda: not Path(f"/proc/{decoder}").exists())


def test_nothing_is_imported_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "PIL").mkdir()
    (tmp_path / "PIL" / "__init__.py").write_text("raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)
    assert isinstance(BoundedDecoder(PredictConfig()).decode(saved("TIFF", (8, 8))), DecodedImage)
