"""What cameras and programs write as an image's date, and what becomes of it."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from PIL import Image
from pillow_heif import register_heif_opener

from facemon.domain.image_input import ImageProblem
from facemon.domain.prediction import Undated
from facemon.model.decoding import DecodedImage, date_of_damaged, decode_image, silence_pillow
from facemon.model.exif_dates import exif_date

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
ORIGINAL, FRACTION, OFFSET = 0x9003, 0x9291, 0x9011
TWO = datetime(2026, 11, 23, 2, tzinfo=UTC)
LIMIT = 10**6


@pytest.fixture(autouse=True)
def _set_up_pillow() -> None:
    silence_pillow()
    register_heif_opener()  # which also writes


KINDS: list[tuple[str, dict[int, object], datetime | Undated]] = [
    ("plain", {ORIGINAL: "2026:11:23 02:00:00"}, TWO),
    ("ended by a null character", {ORIGINAL: "2026:11:23 02:00:00\0"}, TWO),
    ("with a zone", {ORIGINAL: "2026:11:23 02:00:00", OFFSET: "+05:30"}, TWO - timedelta(hours=5.5)),
    ("with a zone to the west", {ORIGINAL: "2026:11:22 19:00:00", OFFSET: "-07:00\0"}, TWO),
    ("with UTC as its zone", {ORIGINAL: "2026:11:23 02:00:00", OFFSET: "Z"}, TWO),
    ("with a zone that is none", {ORIGINAL: "2026:11:23 02:00:00", OFFSET: "nonsense"}, TWO),
    ("with a blank zone", {ORIGINAL: "2026:11:23 02:00:00", OFFSET: "   :  "}, TWO),
    ("half a second", {ORIGINAL: "2026:11:23 02:00:00", FRACTION: "5"}, TWO + timedelta(seconds=0.5)),
    ("milliseconds", {ORIGINAL: "2026:11:23 02:00:00", FRACTION: "007 "}, TWO + timedelta(milliseconds=7)),
    ("nanoseconds", {ORIGINAL: "2026:11:23 02:00:00", FRACTION: "123456789"}, TWO + timedelta(microseconds=123456)),
    ("a fraction that is none", {ORIGINAL: "2026:11:23 02:00:00", FRACTION: "-1"}, TWO),
    ("a leap day", {ORIGINAL: "2024:02:29 00:00:00"}, datetime(2024, 2, 29, tzinfo=UTC)),
    ("a scan of an old print", {ORIGINAL: "1962:07:01 12:00:00"}, datetime(1962, 7, 1, 12, tzinfo=UTC)),
    ("no date", {}, Undated.MISSING),
    ("an empty date", {ORIGINAL: ""}, Undated.MISSING),
    ("the standard's unknown date", {ORIGINAL: "    :  :     :  :  "}, Undated.MISSING),
    ("a clock that was never set", {ORIGINAL: "0000:00:00 00:00:00"}, Undated.INVALID),
    ("a day that does not exist", {ORIGINAL: "2026:02:30 10:00:00"}, Undated.INVALID),
    ("another notation", {ORIGINAL: "23.11.2026 02:00"}, Undated.INVALID),
    ("a number", {ORIGINAL: 20261123}, Undated.INVALID),
    ("before the year 1 in UTC", {ORIGINAL: "0001:01:01 00:00:00", OFFSET: "+05:00"}, Undated.INVALID),
    ("a zone of the future's other side", {ORIGINAL: "2026:11:29 02:00:00"}, datetime(2026, 11, 29, 2, tzinfo=UTC)),
    ("just a day ahead", {ORIGINAL: "2026:11:29 12:00:00"}, datetime(2026, 11, 29, 12, tzinfo=UTC)),
    ("over a day ahead", {ORIGINAL: "2026:11:29 12:00:01"}, Undated.AHEAD),
    ("the year 2107", {ORIGINAL: "2107:01:01 00:00:00"}, Undated.AHEAD),
]  # fmt: skip


@pytest.mark.parametrize(("tags", "expected"), [kind[1:] for kind in KINDS], ids=[kind[0] for kind in KINDS])
def test_each_kind_of_date(tags: dict[int, object], expected: datetime | Undated) -> None:
    found = exif_date(tags, NOW)
    assert found == expected
    assert isinstance(found, Undated) or found.tzinfo is UTC


@pytest.mark.parametrize("orientation", [None, 6])
@pytest.mark.parametrize("kind", ["JPEG", "MPO", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_each_format_that_carries_dates(kind: str, orientation: int | None) -> None:
    content = dated("2026:11:23 02:00:00", kind, orientation)
    for now, expected in ((NOW, TWO), (TWO - timedelta(days=2), Undated.AHEAD), (None, None)):
        decoded = decode_image(content, LIMIT, dated_by=now)
        assert isinstance(decoded, DecodedImage)
        assert decoded.taken_at == expected


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF"])
def test_an_image_without_exif_data(kind: str) -> None:
    file = BytesIO()
    Image.new("RGB", (9, 9)).save(file, kind)
    decoded = decode_image(file.getvalue(), LIMIT, dated_by=NOW)
    assert isinstance(decoded, DecodedImage)
    assert decoded.taken_at is Undated.MISSING


def test_damaged_exif_data_cost_the_date_and_not_the_image() -> None:
    content = bytearray(dated("2026:11:23 02:00:00", "JPEG"))
    where = content.index(b"\x87\x69")  # the pointer to the Exif IFD: 12 bytes of tag, type, count and place
    content[where + 8 : where + 12] = b"\xff\xff\xff\xf0"
    decoded = decode_image(bytes(content), LIMIT, dated_by=NOW)
    assert isinstance(decoded, DecodedImage)
    assert isinstance(decoded.taken_at, Undated)


def test_a_damaged_image_keeps_the_date_that_its_head_tells() -> None:
    content = dated("2026:11:23 02:00:00", "JPEG")
    cut = content[:-200]
    assert isinstance(decode_image(cut, LIMIT, dated_by=NOW), ImageProblem)
    assert date_of_damaged(cut, NOW) == TWO
    assert date_of_damaged(cut, TWO - timedelta(days=2)) is None
    for broken in (content[:50], b"", b"no picture"):
        assert date_of_damaged(broken, NOW) is None


def dated(written: str, kind: str, orientation: int | None = None) -> bytes:
    exif, file = Image.Exif(), BytesIO()
    if orientation:
        exif[0x0112] = orientation
    exif.get_ifd(0x8769)[ORIGINAL] = written
    Image.effect_noise((40, 40), 50).convert("RGB").save(file, kind, exif=exif.tobytes())
    return file.getvalue()
