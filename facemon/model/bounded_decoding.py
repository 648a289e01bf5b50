"""Decoding within a budget of time and memory: here what is provably quick, all else in a process that can be ended."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from facemon.domain.image_header import ImageHeader, read_header
from facemon.domain.image_input import ImageProblem
from facemon.domain.prediction import ErrorCode
from facemon.model.decoder_process import TOO_SLOW, DecoderEnded, DecoderProcess
from facemon.model.decoding import (
    DecodedImage,
    NeededSize,
    date_of_damaged,
    decode_image,
    is_known_format,
    pixels_of_damaged,
)
from facemon.model.plain_jpeg import decode_plain_jpeg

if TYPE_CHECKING:
    # The process that decodes imports this module too, and begins sooner without the library behind it.
    from facemon.config.serving import PredictConfig

_QUICK_SECONDS = 1.0
"""What an image may take in this process, which nothing can end but its own end."""
_QUICK_SHARE = 0.25
"""The same as a share of the budget, since the header tells a time by estimate only."""
_MOST_BYTES = 25
"""Memory for each pixel: what the greediest of the common decoders takes."""


class Undecoded(NamedTuple):
    """Why an image cannot be decoded, and what its head says nevertheless."""

    problem: ImageProblem
    taken_at: datetime | None = None
    """When the camera took it; none unless asked for."""
    pixels: int = 0


class BoundedDecoder:
    """Decodes images within the limits of a configuration; several threads may use it at once."""

    def __init__(self, limits: "PredictConfig") -> None:
        self._limits = limits
        self._formats = tuple(name.upper() for name in limits.formats)
        self._idle: list[DecoderProcess] = []
        self._owner = os.getpid()

    def decode(
        self, content: bytes, *, dated_by: datetime | None = None, needed: NeededSize | None = None
    ) -> DecodedImage | Undecoded:
        """Decode an image; `dated_by` and `needed` as for `decode_image`.

        FacemonError only where no process can be started for an image that needs one.
        """
        header = read_header(content)
        if header is not None and header.excess:
            return Undecoded(ImageProblem(ErrorCode.TOO_SLOW, header.excess))
        order = (content, self._limits.max_pixels, self._formats, dated_by)
        if self._is_quick(content, header):
            plain = self._plain(content, header, needed) if header is not None and dated_by is None else None
            return _decode(*order, needed) if plain is None else plain
        if needed is not None:
            needed = _of_either_way(needed, header)
        for _ in range(2):
            try:
                with self._process() as process:
                    answer: DecodedImage | Undecoded = process.call(
                        _decode, *order, needed,
                        seconds=self._limits.max_decode_seconds, memory=self._limits.max_decode_memory,
                    )  # fmt: skip
            except DecoderEnded as end:
                ended_by = end.signal
            else:
                return self._told_of_memory(answer, header)
            if ended_by != signal.SIGKILL:
                break
            # Killed from outside, perhaps for what another process did: that says little about the image.
        if ended_by in (TOO_SLOW, signal.SIGKILL):
            return Undecoded(self._ended(ended_by))
        # A decoder may crash when it is refused memory; opening the image alone takes little of it.
        pixels = header.pixels if header else self._promised_pixels(content)
        return Undecoded(self._for_want_of_memory(pixels) or self._ended(ended_by), pixels=pixels)

    def _plain(self, content: bytes, header: ImageHeader, needed: NeededSize | None) -> DecodedImage | None:
        """Decode a JPEG that is accepted and has nothing but its pixels; none for all else, and for a damaged one."""
        is_accepted = header.format in self._limits.formats and header.pixels <= self._limits.max_pixels
        return decode_plain_jpeg(content, header, needed) if header.is_plain and is_accepted else None

    def _is_quick(self, content: bytes, header: ImageHeader | None) -> bool:
        """Whether an image takes so little that it can be decoded, or refused, without being watched."""
        if header is None:
            return not is_known_format(content)
        limits = self._limits
        is_refused = header.pixels > limits.max_pixels or header.format not in limits.formats
        return header.has_few_fragments and (
            is_refused
            or (
                header.seconds <= min(_QUICK_SECONDS, _QUICK_SHARE * limits.max_decode_seconds)
                and header.memory <= limits.max_decode_memory
            )
        )

    def _told_of_memory(self, answer: DecodedImage | Undecoded, header: ImageHeader | None) -> DecodedImage | Undecoded:
        """Correct the answer of a process: several decoders call it damage when they are refused memory."""
        if isinstance(answer, DecodedImage) or answer.problem.code != ErrorCode.UNREADABLE:
            return answer
        # A decoder may refuse to open what it has no memory for.
        pixels = max(answer.pixels, header.pixels if header else 0)
        return answer._replace(problem=self._for_want_of_memory(pixels) or answer.problem)

    def _for_want_of_memory(self, pixels: int) -> ImageProblem | None:
        """The problem of an image that failed and has so many pixels that memory may have been the reason."""
        limit = self._limits.max_decode_memory
        if pixels * _MOST_BYTES <= limit:
            return None
        message = f"it is damaged, or decoding it takes more than {limit} bytes of memory (max_decode_memory)"
        return ImageProblem(ErrorCode.TOO_LARGE, message)

    def _promised_pixels(self, content: bytes) -> int:
        """How many pixels the head of an image promises whose decoder crashed; 0 if it crashes at the head too."""
        limits = self._limits
        try:
            with self._process() as process:
                pixels: int = process.call(
                    pixels_of_damaged, content, self._formats,
                    seconds=limits.max_decode_seconds, memory=limits.max_decode_memory,
                )  # fmt: skip
        except DecoderEnded:
            return 0
        return pixels

    def _ended(self, number: signal.Signals | None) -> ImageProblem:
        if number == TOO_SLOW:
            seconds = self._limits.max_decode_seconds
            return ImageProblem(
                ErrorCode.TOO_SLOW, f"decoding it takes more than {seconds:g} s of processor time (max_decode_seconds)"
            )
        how = f"ended by {number.name}" if number else "ended"
        return ImageProblem(ErrorCode.CRASHED, f"the process that decoded it was {how}")

    @contextmanager
    def _process(self) -> Iterator[DecoderProcess]:
        """A process that nothing else uses; it is kept for the next image, unless this one ended it."""
        if self._owner != os.getpid():
            # Those of the process that this one is a copy of are not ours to use.
            self._idle, self._owner = [], os.getpid()
        try:
            process = self._idle.pop()
        except IndexError:
            process = DecoderProcess()
        yield process
        self._idle.append(process)


def _of_either_way(needed: NeededSize, header: ImageHeader | None) -> NeededSize | None:
    """The same as a table, which another process can be sent: of the image as it lies, and turned upright."""
    if header is None:
        return None
    sizes = ((header.width, header.height), (header.height, header.width))
    return {size: needed(size) for size in sizes}.__getitem__


def _decode(
    content: bytes, max_pixels: int, formats: tuple[str, ...], dated_by: datetime | None, needed: NeededSize | None
) -> DecodedImage | Undecoded:
    decoded = decode_image(content, max_pixels, formats=formats, dated_by=dated_by, needed=needed)
    if isinstance(decoded, DecodedImage):
        return decoded
    taken_at = date_of_damaged(content, dated_by) if dated_by else None
    return Undecoded(decoded, taken_at, pixels_of_damaged(content, formats))
