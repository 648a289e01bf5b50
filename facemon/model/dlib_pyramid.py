"""The scales at which dlib's face detector looks at an image, and how to begin at a smaller one.

The detector slides a window with a box of 73 pixels over the image, shrinks it by 5/6 and looks again, until it is
small; a box found after k steps is reported 1.2^k times as large. So the first steps, which cost the most, find
small faces alone. Taking those steps without a search finds the same large faces, from the same pixels.

Source: `pyramid_down<6>` in dlib/image_transforms/image_pyramid.h, dlib 20.
"""

from math import floor

from facemon.domain.image_input import Box

BOX_SIDE = 73
"""Pixels of the smallest box."""
_MOST_STEPS = 64


def steps_over(shortest: int) -> int:
    """The steps that may be taken unseen when faces are at least an eighth of the image's shorter side.

    All boxes from 1/8 of that side on are still found, and most of the next smaller ones: a face of just that size
    may be seen best one step below it.
    """
    steps = 0
    while BOX_SIDE * 1.2 ** (steps + 1) <= 1.2 * shortest / 8:
        steps += 1
    return steps


def next_side(side: int) -> int:
    """How long a side of the image is after one step."""
    return 5 * side // 6


def box_in_whole(box: Box, steps: int) -> Box:
    """Where a box lies in the whole image that was found in one smaller by `steps`, inclusive as dlib's boxes are.

    dlib rounds a box once, at the end. So the box is first followed down to the scale at which it was found, where
    its place and side are whole numbers, and from there up all the way.
    """
    for below in range(_MOST_STEPS):
        left, top = _origin(box[0], box[2], below), _origin(box[1], box[3], below)
        if left is not None and top is not None:
            corners = (left, top, left + BOX_SIDE - 1, top + BOX_SIDE - 1)
            return _rounded(corners, below + steps)
    return _rounded(box, steps)


def _origin(low: int, high: int, steps: int) -> int | None:
    """Where a window begins that `steps` up becomes [low, high], along one axis; none if there is no such."""
    value = float(low)
    for _ in range(steps):
        value = (value - 0.3) * (5 / 6)
    for origin in (floor(value + 0.5) + shift for shift in (0, -1, 1)):
        if _up(origin, steps) == low and _up(origin + BOX_SIDE - 1, steps) == high:
            return origin
    return None


def _rounded(box: Box, steps: int) -> Box:
    left, top, right, bottom = (_up(value, steps) for value in box)
    return left, top, right, bottom


def _up(value: float, steps: int) -> int:
    for _ in range(steps):
        value = value / (5 / 6) + 0.3
    return floor(value + 0.5)
