"""Draws the pictures of docs/verdicts.md (`make docs` writes them), from the drift check's own functions."""

from collections.abc import Callable, Sequence
from math import log10, sqrt

import numpy as np
from svg_shapes import Point, box, curve, disc, line, linear, logarithmic, picture, text
from verdict_figures import (
    CAMERA_CHANGED,
    MIX_CHANGED,
    REFERENCE_DAYS,
    REFERENCE_ROWS,
    Camera,
    Step,
    detectable,
    judged,
    ladder,
    pooled,
    proof,
)

from facemon.config.drift import DriftConfig
from facemon.drift.column_verdict import BLUNT

_WIDTH = 760
_SETTINGS = DriftConfig()
_LIMIT = _SETTINGS.model.threshold
_LOOKS = ("blue", "orange", "green")
_LINES = ("blue thick", "orange thick dash", "green thick dots")

_RATE = 200
_SINCE_REFERENCE = 10
_LABELS = (2, 7, 20)
RARE = 0.1
"""By chance so many quiet nights may reach a threshold: the ladder's own mark, as a test shows."""
_FEWEST_ROWS, _MOST_ROWS = 100, 20_000
_WINDOWS = (5_000, 1_000, 200)
_MOST_PROOF = 1e-4


def pictures() -> dict[str, str]:
    """Return the name of each picture's file, and the SVG text that belongs in it."""
    return {
        "window-ladder.svg": window_ladder(),
        "sources.svg": sources(),
        "power.svg": power(),
        "two-conditions.svg": two_conditions(),
    }


def window_ladder() -> str:
    """Draw the windows of a check, from the shortest on, and the reference that they may not enter."""
    steps = ladder(_RATE, _SETTINGS, days_since_reference=_SINCE_REFERENCE)
    oldest = _SINCE_REFERENCE + REFERENCE_DAYS

    def at(days: float) -> float:
        return linear(oldest, 0, 24, 430, days)

    top, high = 112, 34
    foot = top + high * len(steps)
    columns = ((446, "rows"), (506, "by chance"), (590, "what it may say"))
    shapes = [
        text((24, 28), f"The windows of one check: {_RATE} images a day, threshold {_LIMIT:g}", "large"),
        text((at(oldest), 66), f"reference, {REFERENCE_DAYS} days", "strong"),
        box((at(oldest), 76), at(_SINCE_REFERENCE) - at(oldest), 20, "grid"),
        line((at(_SINCE_REFERENCE), 60), (at(_SINCE_REFERENCE), foot), "quiet thin dash"),
        text((at(_SINCE_REFERENCE) + 6, 66), "the reference ends", "small quiet"),
        line((at(0), 76), (at(0), foot), "ink thin"),
        text((at(0), 66), "check", "strong", anchor="middle"),
        *(text((x, 92), words, "small quiet") for x, words in columns),
        line((at(oldest), foot), (at(0), foot), "ink thin"),
        *(
            text((at(days), foot + 18), f"{days}", "small quiet", anchor="middle")
            for days in (oldest, 20, 15, _SINCE_REFERENCE, 5, 0)
        ),
        text((at(oldest / 2), foot + 38), "days before the check", "small quiet", anchor="middle"),
        text(
            (24, foot + 68),
            "By chance: the share of quiet nights on which the score of any column reaches its threshold.",
        ),
        text((24, foot + 88), f"The check reads longer windows until that is at most {100 * RARE:.0f} %."),
    ]
    for place, step in enumerate(steps):
        shapes += _rung(step, top + high * place, (at(step.days), at(0)))
    return picture(
        _WIDTH,
        foot + 104,
        "The windows of one check",
        "Bars of growing length that end at the check. None of them begins before the end of the reference.",
        shapes,
    )


def _rung(step: Step, top: float, span: tuple[float, float]) -> list[str]:
    """Draw one window between two places, and what it may say beside it."""
    start, end = span
    says = "drift or ok" if step.clears else "drift" if step.is_read else "not read"
    look = "strong green" if step.clears else "" if step.is_read else "quiet"
    return [
        box((start, top), end - start, 20, ("green" if step.clears else "blue") if step.is_read else "open"),
        text((start - 6, top + 15), step.name, "strong halo", anchor="end"),
        text((446, top + 15), f"{step.rows:,}", look),
        text((506, top + 15), f"{100 * step.by_chance:.0f} %", look),
        text((590, top + 15), says, look),
    ]


def sources() -> str:
    """Draw two changes that look alike over all rows: another mix of cameras, and another camera."""
    shapes = [
        *_cameras(24, "The mix changed", MIX_CHANGED),
        *_cameras(400, "Camera A changed", CAMERA_CHANGED),
        text(
            (24, 416), "The area of a disc stands for rows. All rows together move by as much on both sides.", "small"
        ),
    ]
    return picture(
        _WIDTH,
        432,
        "Two changes of the same size over all rows",
        "Left: both cameras keep their shares and one sends more rows. Right: the share of one camera rises.",
        shapes,
    )


def _cameras(left: float, title: str, cameras: Sequence[Camera]) -> list[str]:
    """Draw the shares of each camera, and of all rows, before and after."""
    before, after, top, foot = left + 120, left + 220, 76, 296

    def height(share: float) -> float:
        return linear(0.2, 0.7, foot, top, share)

    shapes = [text((left, 28), title, "large"), text((left, 52), "share of the label “eyeglasses”", "small quiet")]
    for share in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7):
        shapes += [
            line((left + 40, height(share)), (after + 8, height(share)), "grid thin"),
            text((left + 34, height(share) + 4), f"{100 * share:.0f} %", "small quiet", anchor="end"),
        ]
    for camera, look in zip(cameras, _LOOKS, strict=False):
        places = [(x, height(share)) for x, share in zip((before, after), camera.shares, strict=True)]
        shapes.append(line(places[0], places[1], f"{look} thick"))
        shapes += [disc(place, sqrt(rows) / 4, look) for place, rows in zip(places, camera.rows, strict=True)]
        shapes.append(
            text((after + 16, places[1][1] + 4), f"{camera.name} {100 * camera.shares[1]:.0f} %", f"{look} halo")
        )
    whole = [(x, height(pooled(cameras, side))) for side, x in enumerate((before, after))]
    shapes += [
        line(whole[0], whole[1], "ink thick dash"),
        text((after + 16, whole[1][1] + 4), f"all rows {100 * pooled(cameras, 1):.1f} %", "halo"),
        text((before, foot + 20), "reference", "small quiet", anchor="middle"),
        text((after, foot + 20), "window", "small quiet", anchor="middle"),
    ]
    return [*shapes, *_judgement(left, foot + 46, cameras)]


def _judgement(left: float, top: float, cameras: Sequence[Camera]) -> list[str]:
    """Write what the check says of the cameras together and of each by itself."""
    together, *apart = judged(cameras)
    each = ", ".join(f"{camera.name} {found.verdict.value}" for camera, found in zip(cameras, apart, strict=True))
    return [
        text((left, top), f"Over all rows: {_points(together.pooled_score)}"),
        text((left, top + 20), f"Within the cameras: {_points(together.score)}, so {together.verdict.value}", "strong"),
        text((left, top + 40), f"By itself: {each}"),
    ]


def _points(score: float | None) -> str:
    return f"{100 * (score or 0.0):.1f} points"


def power() -> str:
    """Draw the smallest detectable shift against the rows of a window, and the default thresholds."""
    left, right, top, foot = 64, 560, 76, 376
    most = 0.22

    def place(rows: float, shift: float) -> Point:
        return logarithmic(_FEWEST_ROWS, _MOST_ROWS, left, right, rows), linear(0, most, foot, top, shift)

    shapes = [
        text((24, 28), f"What a window can show, beside a reference of {REFERENCE_ROWS:,} rows", "large"),
        text((24, 56), "smallest detectable shift, in points", "small quiet"),
        text(((left + right) / 2, foot + 42), "rows in the window", "small quiet", anchor="middle"),
    ]
    for shift in (0, 0.05, 0.1, 0.15, 0.2):
        y = place(_MOST_ROWS, shift)[1]
        shapes.append(line((left, y), (right, y), "grid thin"))
        shapes.append(text((left - 8, y + 4), f"{100 * shift:.0f}", "small quiet", anchor="end"))
    for rows in (100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000):
        x = place(rows, 0)[0]
        shapes.append(line((x, foot), (x, foot + 5), "ink thin"))
        shapes.append(text((x, foot + 20), f"{rows:,}", "small quiet", anchor="middle"))
    shapes.append(line((left, foot), (right, foot), "ink thin"))
    shapes += _limits(right, lambda shift: place(_MOST_ROWS, shift)[1], left)
    counted = np.geomspace(_FEWEST_ROWS, _MOST_ROWS, 25).round().astype(int).tolist()
    for number, (labels, look) in enumerate(zip(_LABELS, _LINES, strict=True)):
        found = [(rows, detectable(labels, rows)) for rows in counted]
        shapes.append(curve([place(*each) for each in found if each[1] <= most], look))
        y = place(1_000, 0.14)[1] + 20 * number
        shapes.append(line((right - 150, y - 4), (right - 118, y - 4), look))
        shapes.append(text((right - 110, y), f"{labels} labels", "halo"))
    shapes.append(
        text(
            (24, foot + 74),
            f"A column is never ok where its detectable shift is above {BLUNT} x its threshold.",
            "small",
        )
    )
    return picture(
        _WIDTH,
        foot + 92,
        "The smallest detectable shift",
        "Three falling curves, for columns of 2, 7 and 20 labels, and the default thresholds as lines.",
        shapes,
    )


def _limits(right: float, height: Callable[[float], float], left: float) -> list[str]:
    """Draw the thresholds, and twice each, above which a column is never ok."""
    data = _SETTINGS.data.threshold
    marks = (
        (_LIMIT, (f"model threshold {_LIMIT:g}",)),
        (data, (f"data threshold {data:g}", f"{BLUNT} x model threshold")),
        (BLUNT * data, (f"{BLUNT} x data threshold",)),
    )
    shapes = []
    for shift, names in marks:
        y = height(shift)
        shapes.append(line((left, y), (right + 8, y), "ink thin dash"))
        shapes += [
            text((right + 14, y + 4 + 18 * (at - (len(names) - 1) / 2)), words, "small")
            for at, words in enumerate(names)
        ]
    return shapes


def two_conditions() -> str:
    """Draw score against proof, the four regions, and what windows of three sizes prove."""
    left, right, top, foot = 76, 736, 92, 392
    most = 0.16

    def place(score: float, p_value: float) -> Point:
        return linear(0, most, left, right, score), logarithmic(1, _MOST_PROOF, foot, top, p_value)

    corner = place(_LIMIT, _SETTINGS.significance)
    shapes = [
        text((24, 28), "Drift has two conditions: large enough, and proven", "large"),
        text((24, 56), "adjusted p", "small quiet"),
        text(((left + right) / 2, foot + 42), "score", "small quiet", anchor="middle"),
        box((corner[0], top), right - corner[0], corner[1] - top, "wash"),
    ]
    for p_value in (1, 0.1, 0.01, 0.001, 0.0001):
        y = place(0, p_value)[1]
        shapes.append(
            text((left - 8, y + 4), f"{p_value:g}" if p_value > 1e-4 else "0.0001", "small quiet", anchor="end")
        )
        shapes.append(line((left, y), (right, y), "grid thin"))
    shapes += [
        text((place(score, 1)[0], foot + 20), f"{score:g}", "small quiet", anchor="middle")
        for score in (0, _LIMIT, 0.1, 0.15)
    ]
    shapes += [
        line((left, corner[1]), (right, corner[1]), "ink thin dash"),
        line((corner[0], top), (corner[0], foot), "ink thin dash"),
    ]
    for rows, look in zip(_WINDOWS, _LINES, strict=True):
        shapes += _proofs(rows, look, place)
    return picture(
        _WIDTH,
        foot + 104,
        "The two conditions of drift",
        "Score against adjusted p-value. Only scores that reach the threshold and are proven are drift.",
        [*shapes, *_regions(corner, (left, right, top, foot))],
    )


def _proofs(rows: int, look: str, place: Callable[[float, float], Point]) -> list[str]:
    """Draw what a window of so many rows proves of each score, up to the most that the picture shows."""
    steps = [proof(rows, moved) for moved in range(0, rows // 4, max(1, rows // 400))]
    end = next(at for at, (_, p_value) in enumerate(steps) if p_value <= _MOST_PROOF)
    scores, logs = zip(*((score, log10(p_value)) for score, p_value in steps[: end + 1]), strict=True)
    last = float(np.interp(-log10(_MOST_PROOF), [-each for each in logs[-2:]], scores[-2:]))
    points = [place(score, p_value) for score, p_value in [*steps[:end], (last, _MOST_PROOF)]]
    x, y = points[-1]
    return [
        curve(points, look),
        text((x, y - 8), f"{rows:,} rows", f"{look.split(maxsplit=1)[0]} strong", anchor="middle"),
    ]


def _regions(corner: Point, frame: tuple[float, float, float, float]) -> list[str]:
    """Write the verdict of each region, and what the ones that are small need besides."""
    x, y = corner
    left, right, top, foot = frame
    named = (
        ((left + 62, top + 28), "ok *", ("proven, but", "too small")),
        ((x + 170, top + 48), "drift", ("large enough, and proven",)),
        ((x - 38, y + 22), "ok *", ("small",)),
        (((x + right) / 2, y + 44), "undecided", ("large, but perhaps by chance",)),
    )
    shapes = []
    for (across, down), verdict, why in named:
        shapes.append(text((across, down), verdict, "large", anchor="middle"))
        shapes += [
            text((across, down + 18 * (at + 1)), words, "small", anchor="middle") for at, words in enumerate(why)
        ]
    return [
        *shapes,
        text((x + 6, foot - 8), f"threshold {_LIMIT:g}", "small"),
        text((right - 6, y - 6), f"significance {_SETTINGS.significance:g}", "small", anchor="end"),
        text((24, foot + 72), f"* undecided if the rows cannot show a shift of {BLUNT} x {_LIMIT:g}.", "small"),
        text(
            (24, foot + 90),
            f"Curves: one column alone; half of the {REFERENCE_ROWS:,} rows of the reference have the label.",
            "small",
        ),
    ]
