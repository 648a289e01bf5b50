"""How a run went: images by outcome, for the last line on stderr and for the exit code."""

import re
from dataclasses import dataclass, field
from typing import Self

from facemon.domain.prediction import ErrorCode, PredictedBatch
from facemon.domain.shown_rate import shown_rate
from facemon.errors import UsageError
from facemon.predict.observed_times import ObservedTimes

_LIMIT = re.compile(r"(\d{1,18})|(\d{1,18}(?:\.\d+)?)\s*%")


@dataclass(frozen=True, slots=True)
class FailureLimit:
    """How many images may fail before the command does: a number, or a percentage of all."""

    count: int = 0
    percent: float | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `5` or `2%`; UsageError if it is neither."""
        match = _LIMIT.fullmatch(text.strip())
        if match is None or (match[2] and float(match[2]) > 100):
            raise UsageError(f"--max-failures {text}: write a number such as 5, or a percentage such as 2%")
        return cls(int(match[1])) if match[1] else cls(percent=float(match[2]))


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What came of the images of a run; an image without a face is not a failure."""

    ok: int = 0
    no_face: int = 0
    failed: int = 0
    faces: int = 0
    seconds: float = 0.0
    """Wall time of the run so far."""
    times: ObservedTimes = field(default_factory=ObservedTimes)

    @property
    def images(self) -> int:
        """All images that were tried."""
        return self.ok + self.no_face + self.failed

    def update(self, batch: PredictedBatch, seconds: float) -> "RunSummary":
        """The summary with a batch added, `seconds` after the run began."""
        images = len(batch.ordinals)
        errors = [error for error in batch.rows.column("error").to_pylist() if error is not None]
        no_face = errors.count(ErrorCode.NO_FACE.value)
        # A row with an error is the only one of its image.
        return RunSummary(
            ok=self.ok + images - len(errors),
            no_face=self.no_face + no_face,
            failed=self.failed + len(errors) - no_face,
            faces=self.faces + batch.rows.num_rows - len(errors),
            seconds=seconds,
            times=self.times.update(batch),
        )

    def exceeds(self, limit: FailureLimit) -> bool:
        """Whether more images failed than may."""
        allowed = limit.count if limit.percent is None else self.images * limit.percent / 100
        return self.failed > allowed

    def __str__(self) -> str:
        found = f"{self.ok} ok ({_counted(self.faces, 'face')})"
        parts = [_counted(self.images, "image"), found, f"{self.no_face} without a face", f"{self.failed} failed"]
        if self.seconds > 0:
            parts.append(f"{self.seconds:.1f} s, {shown_rate(self.images, self.seconds, 'images')}")
        return ", ".join(parts)


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
