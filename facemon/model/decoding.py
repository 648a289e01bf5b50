"""Bytes to an upright RGB image, with the limits checked before a single pixel is decoded."""

import errno
import os
import stat
import struct
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from pathlib import Path

from PIL import ExifTags, Image, UnidentifiedImageError

from facemon.confined_file import OutsideError, open_beneath
from facemon.domain.formats.registry import opened_format, plugin_formats
from facemon.domain.image_input import FilePart, FileVersion, ImageProblem, shown_name, tar_suffix, too_large
from facemon.domain.prediction import ErrorCode, Undated
from facemon.model.exif_dates import exif_date
from facemon.model.image_opening import JPEGS, accepted_formats, loaded, open_image, pillow_names, scaled
from facemon.model.tiff_samples import NO_RANGE, gray_range, sample_fault

# What Pillow's decoders raise on damaged bytes; several let the error of the module below them through.
_DAMAGE = (
    OSError, EOFError, SyntaxError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError,
    NotImplementedError, RuntimeError, struct.error, zlib.error,
)  # fmt: skip
_ANY_TROUBLE = (*_DAMAGE, MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning)
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF's Orientation to the turn that undoes it (EXIF 2.32, tag 274)."""
_SIDEWAYS = {
    Image.Transpose.TRANSPOSE, Image.Transpose.ROTATE_270, Image.Transpose.TRANSVERSE, Image.Transpose.ROTATE_90,
}  # fmt: skip
_READ_WHOLE = "which predict reads as a whole: name the archive"
_NO_MEMORY = "there is not enough memory to decode the image (max_decode_memory)"

NeededSize = Callable[[tuple[int, int]], tuple[float, float]]
"""From a whole upright image's width and height to the least that its decoded copy must have."""


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """An upright 8-bit RGB image, and when the camera says it was taken or why it does not (none unless asked for)."""

    image: Image.Image
    size: tuple[int, int]
    """Width and height of the whole upright image, of which `image` may be a smaller copy."""
    taken_at: datetime | Undated | None = None


def silence_pillow() -> None:
    """Keep Pillow's warnings about odd files off stderr, in the whole process: odd files get rows instead."""
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
    warnings.filterwarnings("ignore", module=r"PIL\.")


def read_image(
    path: Path, max_bytes: int, root: Path | None = None, part: FilePart | None = None
) -> bytes | ImageProblem:
    """The bytes of a regular file of at most `max_bytes`, or why they cannot be had.

    With `root` of a file below it; with `part` only those bytes of the file, as long as it is the same one.
    """
    try:
        if root is not None:
            descriptor = open_beneath(root, path)
        else:
            # Not blocking, or opening a named pipe would wait for a writer forever.
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                what = "is a directory" if stat.S_ISDIR(status.st_mode) else "is not a regular file"
                return ImageProblem(ErrorCode.UNREADABLE, what)
            if part is None and tar_suffix(path.name):
                return ImageProblem(ErrorCode.UNREADABLE, "is a tar archive, which only predict reads")
            if part is not None and part.version != FileVersion.of(status):
                return ImageProblem(ErrorCode.UNREADABLE, "the archive was changed while it was read")
            start, size = (0, status.st_size) if part is None else part[:2]
            if size > max_bytes:
                return too_large(size, max_bytes)
            return _read(descriptor, start, size)
        finally:
            os.close(descriptor)
    except OutsideError:
        return ImageProblem(ErrorCode.DENIED, f"lies outside --root {shown_name(str(root))}")
    except OSError as error:
        return _unopened(path if root is None else root / path, error)
    except ValueError as error:
        what = "characters that no name has" if isinstance(error, UnicodeError) else "a null character"
        return ImageProblem(ErrorCode.UNREADABLE, f"the name holds {what}, so no such file can exist")


def _read(descriptor: int, start: int, size: int) -> bytes:
    """Read `size` bytes of a file: not more than was measured, although it may grow meanwhile."""
    content = os.pread(descriptor, size, start)
    if len(content) == size:
        return content
    parts = [content]  # it shrank, or the system reads 2 GiB at a time
    while parts[-1] and (left := size - sum(map(len, parts))):
        parts.append(os.pread(descriptor, left, start + size - left))
    return b"".join(parts)


def decode_image(
    content: bytes,
    max_pixels: int,
    *,
    formats: tuple[str, ...] | None = None,
    dated_by: datetime | None = None,
    needed: NeededSize | None = None,
) -> DecodedImage | ImageProblem:
    """Decode an image file's bytes to upright RGB of 8 bits a channel, or say why that is impossible.

    The first frame counts. Alpha is dropped, gray of more bits is scaled to 8, CMYK is converted. More than
    `max_pixels`, or more than twice Pillow's `Image.MAX_IMAGE_PIXELS`, is too large; no pixel is decoded then.
    With `needed` a JPEG is decoded at the smallest of the scales 1, 1/2, 1/4 and 1/8 that is no smaller than that
    answers for the whole image's size. With `dated_by`, the present time, the image's own date is read too.
    """
    if not content:
        return ImageProblem(ErrorCode.UNREADABLE, "the file is empty")
    if formats is None:
        formats = pillow_names()
    try:
        return _decoded(content, formats, max_pixels, dated_by, needed)
    except UnidentifiedImageError:
        return ImageProblem(ErrorCode.UNREADABLE, _unidentified(content, formats))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        return ImageProblem(ErrorCode.TOO_LARGE, _bomb(error, max_pixels))
    except MemoryError:
        return ImageProblem(ErrorCode.TOO_LARGE, _NO_MEMORY)
    except _DAMAGE as error:
        if "out of memory" in str(error):  # Pillow's words for what a decoder was refused
            return ImageProblem(ErrorCode.TOO_LARGE, _NO_MEMORY)
        return ImageProblem(ErrorCode.UNREADABLE, _damage(error))


def _decoded(
    content: bytes,
    formats: tuple[str, ...],
    max_pixels: int,
    dated_by: datetime | None,
    needed: NeededSize | None,
) -> DecodedImage | ImageProblem:
    opened = open_image(content, formats)
    width, height = opened.size
    if width * height > max_pixels:
        limit = f"the limit is {max_pixels} pixels in all"
        return ImageProblem(ErrorCode.TOO_LARGE, f"the image has {width} x {height} pixels; {limit}")
    if (fault := sample_fault(opened)) is not None:
        return ImageProblem(ErrorCode.UNREADABLE, fault)
    exif = _exif(opened)
    taken_at = _date(exif, dated_by) if dated_by else None
    is_turned = opened_format(opened.format).upright_when_decoded
    turn = None if is_turned else _turn(exif)
    size = (height, width) if turn in _SIDEWAYS else (width, height)
    least = None
    if needed is not None and opened.format in JPEGS:
        across, down = (ceil(length) for length in needed(size))
        least = (down, across) if turn in _SIDEWAYS else (across, down)
        opened = scaled(opened, least)
    opened = loaded(opened, content, least)
    if is_turned:
        size = opened.size  # an orientation that only the metadata tell may turn it no earlier than now
    image = _as_rgb(opened)
    if isinstance(image, ImageProblem):
        return image
    if image is opened and opened.format not in JPEGS:
        # An image without the decoder behind it: JPEG 2000's cannot be scaled any more in another process.
        image = opened.copy()
    upright = image if turn is None else image.transpose(turn)
    upright.info.clear()  # profiles and texts, perhaps large, that go nowhere
    return DecodedImage(upright, size, taken_at)


def _exif(opened: Image.Image) -> Image.Exif | None:
    """The metadata of an image; none where they are damaged, which viewers ignore too."""
    if opened_format(opened.format).ignores_xmp:
        opened.info.pop("xmp", None)
    try:
        return opened.getexif()
    except _DAMAGE:
        return None


def _turn(exif: Image.Exif | None) -> Image.Transpose | None:
    """The turn that makes an image upright; none for an orientation that the standard does not know."""
    orientation = exif.get(ExifTags.Base.Orientation) if exif else None
    return _UPRIGHT.get(orientation) if isinstance(orientation, int) else None


def is_known_format(content: bytes) -> bool:
    """Whether a decoder would look further than at the first bytes."""
    return bool(accepted_formats(content))


def date_of_damaged(content: bytes, now: datetime) -> datetime | None:
    """Return the date of an image that cannot be decoded, where the head of the file is whole enough to tell it."""
    try:
        taken_at = _date(_exif(open_image(content, pillow_names())), now)
    except _ANY_TROUBLE:
        return None
    return taken_at if isinstance(taken_at, datetime) else None


def pixels_of_damaged(content: bytes, formats: tuple[str, ...]) -> int:
    """Return how many pixels the head of an image promises that cannot be decoded; 0 where it cannot be read."""
    try:
        width, height = open_image(content, formats).size
    except _ANY_TROUBLE:
        return 0
    return width * height


def _date(exif: Image.Exif | None, now: datetime) -> datetime | Undated:
    if exif is None:
        return Undated.INVALID
    try:
        return exif_date(exif.get_ifd(ExifTags.IFD.Exif), now)
    except _DAMAGE:
        return Undated.INVALID  # the pixels may be whole


def _as_rgb(image: Image.Image) -> Image.Image | ImageProblem:
    if image.mode == "RGB":
        return image
    if image.mode in ("F", "I") or image.mode.startswith("I;16"):
        # Only here: its OpenBLAS ends a process that it finds short of memory.
        import numpy as np

        highest, is_inverted = gray_range(image)
        stored = np.asarray(image)
        if image.mode == "F" or stored.min() < 0 or stored.max() > highest:
            return ImageProblem(ErrorCode.UNREADABLE, NO_RANGE)
        # Pillow's own conversion would cut off everything above 255.
        levels = stored.astype(np.uint32)
        if is_inverted:
            np.subtract(highest, levels, out=levels)
        levels *= 255
        levels += highest // 2
        levels //= highest
        return Image.fromarray(levels.astype(np.uint8)).convert("RGB")
    # Alpha is dropped, so a transparent colour means nothing; Pillow would warn of it.
    image.info.pop("transparency", None)
    try:
        return image.convert("RGB")
    except ValueError:
        return ImageProblem(ErrorCode.UNREADABLE, f"colours of the kind {image.mode} cannot be converted to RGB")


def _unopened(path: Path, error: OSError) -> ImageProblem:
    match error.errno:
        case errno.EACCES | errno.EPERM:
            return ImageProblem(ErrorCode.DENIED, "permission to read it is denied")
        case errno.ENOENT if path.is_symlink():
            return ImageProblem(ErrorCode.UNREADABLE, "is a link to a file that does not exist")
        case errno.ENOTDIR if archive := next((each for each in path.parents if tar_suffix(each.name)), None):
            return ImageProblem(ErrorCode.UNREADABLE, f"is in the archive {shown_name(archive.name)}, {_READ_WHOLE}")
        case errno.ENOENT | errno.ENOTDIR:
            return ImageProblem(ErrorCode.UNREADABLE, "no such file")
        case errno.ELOOP:
            return ImageProblem(ErrorCode.UNREADABLE, "is a link that leads back to itself")
        case _:
            return ImageProblem(ErrorCode.UNREADABLE, f"cannot be read: {(error.strerror or str(error)).lower()}")


def _unidentified(content: bytes, formats: tuple[str, ...]) -> str:
    accepted = accepted_formats(content)
    refused = [name for name in accepted if name not in formats]
    if refused:
        taken = ", ".join(sorted(name.lower() for name in formats))
        return f"images in the format {refused[0].lower()} are not accepted here, only {taken}"
    for plugin in plugin_formats():
        if plugin.name.upper() in accepted and not plugin.is_readable:
            return f"is a {plugin.title} image, which needs an extra package: {plugin.hint}"
    text = content[:512]
    words = "".join(text.decode("utf-8", "ignore").split())
    if words and words.isprintable():
        return "is not an image but text"
    if text[4:8] == b"ftyp" and not accepted:
        return "is a video or an image in a format that is not supported; convert it to JPEG"
    return "is not an image in a supported format, or its beginning is damaged"


def pixel_limit(max_pixels: int) -> int:
    """Return the most pixels that Pillow and a limit of `max_pixels` let through."""
    return min(max_pixels, 2 * (Image.MAX_IMAGE_PIXELS or max_pixels))


def _bomb(error: Exception, max_pixels: int) -> str:
    # Only Pillow's sentence holds the number: "Image size (400000000 pixels) exceeds limit of …"
    count = next((word for word in str(error).replace("(", " ").split() if word.isdigit()), "too many")
    return f"the image has {count} pixels; the limit is {pixel_limit(max_pixels)}"


def _damage(error: BaseException) -> str:
    words = str(error).lower()
    if "truncated" in words or isinstance(error, EOFError):
        return "the file is cut off: its end is missing"
    return "the image's data is damaged"
