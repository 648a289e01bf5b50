"""JPEGs without their end marker are read if that is all that they lack, and else they are damaged as before."""

import re
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from facemon.domain.image_input import ImageProblem
from facemon.model.decoding import DecodedImage, decode_image

LIMIT = 10**6
END = b"\xff\xd9"


def jpeg(width: int, height: int, seed: int, mode: str = "RGB", **options: object) -> bytes:
    """Noise over a gradient: no unit ends in a flat gray."""
    noise = np.random.default_rng(seed).integers(0, 80, (height, width, 3))
    slope = np.linspace(0, 150, width)[None, :, None]
    stream = BytesIO()
    Image.fromarray((noise + slope).astype(np.uint8)).convert(mode).save(stream, "JPEG", **options)
    return stream.getvalue()


@st.composite
def jpegs(draw: st.DrawFn) -> bytes:
    # The standard's tables, as cameras use: with others a flat gray end leaves nothing to see.
    options: dict[str, object] = {"quality": draw(st.integers(5, 100))}
    options |= draw(
        st.sampled_from([{}, {"restart_marker_rows": 1}, {"restart_marker_blocks": 1}, {"restart_marker_blocks": 7}])
    )
    mode = draw(st.sampled_from(["RGB", "L", "CMYK"]))
    if mode == "RGB":
        options["subsampling"] = draw(st.sampled_from([0, 1, 2]))
    side = st.integers(1, 70)
    return jpeg(draw(side), draw(side), draw(st.integers(0, 9)), mode, **options)


@given(jpegs(), st.sampled_from([b"", b"\xff", b"\0", bytes(40)]))
def test_what_lacks_only_its_end_is_whole(whole: bytes, rest: bytes) -> None:
    answer, expected = decode_image(whole.removesuffix(END) + rest, LIMIT), decode_image(whole, LIMIT)
    assert isinstance(answer, DecodedImage), answer
    assert isinstance(expected, DecodedImage)
    assert answer.image.tobytes() == expected.image.tobytes()


@given(jpegs(), st.integers(1, 60), st.sampled_from([b"", b"\xff"]))
def test_what_lacks_a_byte_of_its_scan_is_not(whole: bytes, missing: int, rest: bytes) -> None:
    head = whole.index(b"\xff\xda") + 4
    cut = whole[: max(head, len(whole) - len(END) - missing)]
    assert isinstance(decode_image(cut + rest, LIMIT), ImageProblem)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_tables_of_the_image_itself(mode: str) -> None:
    whole = jpeg(61, 35, 2, mode, optimize=True)
    answer, expected = decode_image(whole[:-2], LIMIT), decode_image(whole, LIMIT)
    assert isinstance(answer, DecodedImage)
    assert isinstance(expected, DecodedImage)
    assert answer.image.tobytes() == expected.image.tobytes()
    assert isinstance(decode_image(whole[:-3], LIMIT), ImageProblem)


def test_it_is_read_at_a_smaller_scale_too() -> None:
    whole = jpeg(640, 480, 1)
    for needed in (lambda size: (size[0] / 4, size[1] / 4), lambda size: (size[0] / 8, size[1] / 8)):
        answer, expected = (decode_image(content, LIMIT, needed=needed) for content in (whole[:-2], whole))
        assert isinstance(answer, DecodedImage)
        assert isinstance(expected, DecodedImage)
        assert (answer.size, answer.image.tobytes()) == (expected.size, expected.image.tobytes())


@pytest.mark.parametrize("options", [{"progressive": True}, {"progressive": True, "restart_marker_rows": 1}])
def test_of_several_scans_the_last_ones_may_be_missing(options: dict[str, object]) -> None:
    whole = jpeg(60, 40, 1, "RGB", **options)
    first_scan = re.compile(rb"\xff\xda.+?(?=\xff[^\x00\xd0-\xd7])", re.DOTALL).search(whole)
    assert first_scan
    for cut in (whole[:-2], whole[: whole.rindex(b"\xff\xda")], whole[: first_scan.end()]):
        assert isinstance(decode_image(cut, LIMIT), ImageProblem)


def test_an_end_in_the_middle_stays_damage() -> None:
    whole = jpeg(60, 40, 1)
    middle = (whole.index(b"\xff\xda") + len(whole)) // 2
    for content in (whole[:middle], whole[:middle] + END[:1]):
        answer = decode_image(content, LIMIT)
        assert isinstance(answer, ImageProblem)
        assert answer.message == "the file is cut off: its end is missing"
