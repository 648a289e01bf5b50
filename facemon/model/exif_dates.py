"""When a camera says that it took an image, or why its EXIF data do not tell."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo

from PIL import ExifTags

from facemon.domain.prediction import Undated

_PADDING = "\0 "
_MOST_AHEAD = timedelta(days=1)
"""A local time without a zone is read as UTC, which puts it up to 14 hours ahead; more is a clock that is wrong."""


def exif_date(details: Mapping[int, object], now: datetime) -> datetime | Undated:
    """Return DateTimeOriginal with its SubSecTimeOriginal and OffsetTimeOriginal, in UTC (EXIF 2.32, section 4.6.5).

    `details` are the tags of the Exif IFD. Without a valid offset the time is read as UTC.
    """
    written = details.get(ExifTags.Base.DateTimeOriginal, "")
    # The standard writes an unknown date as blanks between colons.
    if isinstance(written, str) and not written.strip(_PADDING + ":"):
        return Undated.MISSING
    try:
        time = datetime.strptime(str(written).strip(_PADDING), "%Y:%m:%d %H:%M:%S").replace(tzinfo=_zone(details))
        taken = time.replace(microsecond=_microseconds(details)).astimezone(UTC)
    except (ValueError, OverflowError):
        return Undated.INVALID  # cameras whose clock was never set write 0000:00:00 00:00:00
    return Undated.AHEAD if taken > now + _MOST_AHEAD else taken


def _microseconds(details: Mapping[int, object]) -> int:
    """The tag holds the digits after the decimal point: 5 is half a second."""
    digits = str(details.get(ExifTags.Base.SubsecTimeOriginal)).strip(_PADDING)
    return int(f"{digits:0<6}"[:6]) if digits.isascii() and digits.isdigit() else 0


def _zone(details: Mapping[int, object]) -> tzinfo:
    offset = str(details.get(ExifTags.Base.OffsetTimeOriginal)).strip(_PADDING)
    try:
        return datetime.strptime(offset, "%z").tzinfo or UTC
    except ValueError:
        return UTC
