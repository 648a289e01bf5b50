"""Draws the pictures of docs/many-machines.md (`make docs` writes them)."""

from svg_shapes import Point, arrow, box, disc, line, picture, text

_WIDTH = 760
_LOST = 2
"""The place of the shard whose worker fails, from 0."""
_SHARDS = 4
_BOXES = ("gate", "hall", "yard")
_HOURS = (8, 9, 10, 11, 12, 13, 14)
_OFFLINE = (9.4, 12.6)
"""When yard has no network, in hours of the day."""


def pictures() -> dict[str, str]:
    """Return the name of each picture's file, and the SVG text that belongs in it."""
    return {"bucket-and-workers.svg": bucket_and_workers(), "cameras-and-centre.svg": cameras_and_centre()}


def bucket_and_workers() -> str:
    """Draw the way of four shards from a manifest by workers to a store; one worker is lost."""
    top, high = 104, 46
    foot = top + high * (_SHARDS + 1)
    heads = ((24, "manifest"), (196, "predict --shard K/4"), (420, "s3://logs/faces/"), (590, "store collect"))
    shapes = [
        text((24, 28), "A bucket and workers: one shard is lost, named and run again", "large"),
        *(text((x, 66), words, "strong") for x, words in heads),
        text((24, 84), "240 images of a bucket", "small quiet"),
        text((196, 84), "workers keep nothing", "small quiet"),
        text((420, 84), "whole or not at all", "small quiet"),
        text((590, 84), "each image once", "small quiet"),
    ]
    for place in range(_SHARDS):
        shapes += _shard(place, top + high * place)
    lost, again = top + high * _LOST, top + high * _SHARDS
    shapes += [
        *_named(again, "any worker", "runs 3/4 again", "wash"),
        line((340, again + 16), (386, again + 16), "blue thick"),
        line((386, again + 16), (386, lost + 16), "blue thick"),
        arrow((386, lost + 16), (414, lost + 16), "blue thick"),
        box((590, top), 146, high * _SHARDS - 12, "wash"),
        text((604, top + 28), "first time", "strong"),
        text((604, top + 48), "exit 3, missing:", "orange"),
        text((604, top + 66), "november: 3 of 4", "orange"),
        text((604, top + 108), "second time", "strong"),
        text((604, top + 128), "exit 0, all shards", "green"),
        text((604, top + 146), "240 rows", "green"),
        text(
            (24, foot + 24), "Nothing of a lost shard counts. Its worker may come back, or another one takes the shard."
        ),
    ]
    return picture(
        _WIDTH,
        foot + 42,
        "A bucket and workers",
        "A manifest in four shards. Workers deliver 1, 2 and 4. Worker 3 is lost; collect names its shard, which any "
        "worker runs again.",
        shapes,
    )


def _shard(place: int, top: float) -> list[str]:
    """Draw the part of a manifest, its worker and its delivery."""
    name, is_lost = f"{place + 1}/{_SHARDS}", place == _LOST
    worker = (f"worker {place + 1}", "lost its power") if is_lost else (f"worker {place + 1}", "")
    shapes = [
        box((24, top), 112, 34, "grid"),
        text((36, top + 22), f"shard {name}"),
        arrow((140, top + 16), (190, top + 16), "quiet dash" if is_lost else "quiet"),
        *_named(top, *worker, "open" if is_lost else "wash"),
        box((420, top), 96, 34, "wash"),
        box((420, top), 6, 34, "blue" if is_lost else "green"),
        text((438, top + 22), f"{name} later" if is_lost else name, "strong blue" if is_lost else "strong green"),
        arrow((520, top + 16), (584, top + 16), "blue thick" if is_lost else "quiet"),
    ]
    return shapes if is_lost else [*shapes, arrow((344, top + 16), (414, top + 16), "quiet")]


def _named(top: float, name: str, state: str, look: str) -> list[str]:
    """Draw a worker, with what there is to say of it."""
    shapes = [box((196, top), 144, 34, look)]
    if not state:
        return [*shapes, text((208, top + 22), name)]
    return [
        *shapes,
        text((208, top + 14), name),
        text((208, top + 29), state, "small orange" if look == "open" else "small"),
    ]


def cameras_and_centre() -> str:
    """Draw the deliveries of three boxes over some hours, of which one box is offline for some."""
    top, high = 108, 62
    foot = top + high * len(_BOXES)
    shapes = [
        text((24, 28), "Cameras and a centre: a box that was offline delivers late", "large"),
        text((24, 66), "boxes", "strong"),
        text((24, 84), "predict and keep", "small quiet"),
        text((176, 66), "store deliver, from cron", "strong"),
        text((176, 84), "a delivery has completed hours", "small quiet"),
        text((584, 66), "centre", "strong"),
        text((584, 84), "has each row once", "small quiet"),
        *(text((_at(hour), foot + 18), f"{hour:02}:00", "small quiet", anchor="middle") for hour in _HOURS),
        line((_at(_HOURS[0]), foot), (_at(_HOURS[-1]) + 14, foot), "ink thin"),
        *(line((_at(hour), foot), (_at(hour), foot + 5), "ink thin") for hour in _HOURS),
    ]
    for place, name in enumerate(_BOXES):
        shapes += _box(name, top + high * place, is_offline=place == len(_BOXES) - 1)
    shapes += _centre(top, high * len(_BOXES) - 20)
    shapes += [
        text(
            (24, foot + 50),
            "Discs are deliveries, each with its number. While yard is offline, its rows wait in its store.",
        ),
        text((24, foot + 70), "Delivery 3 of yard brings four hours at once. The next check at the centre reads them."),
    ]
    return picture(
        _WIDTH,
        foot + 88,
        "Cameras and a centre",
        "Timelines of the boxes gate, hall and yard. Gate and hall deliver each hour; yard misses three deliveries and "
        "then delivers four hours at once. The centre collects, checks and exports.",
        shapes,
    )


def _at(hour: float) -> float:
    return 196 + (hour - _HOURS[0]) * 54


def _box(name: str, top: float, *, is_offline: bool) -> list[str]:
    """Draw a box and its deliveries; one that is offline delivers the hours that it missed at once."""
    middle, end = top + 22.0, _at(_HOURS[-1]) + 14
    shapes = [
        box((24, top), 112, 44, "wash"),
        text((36, top + 19), name, "strong"),
        text((36, top + 36), "its own store", "small quiet"),
    ]
    if is_offline:
        begin, back = (_at(hour) for hour in _OFFLINE)
        shapes += [
            line((140, middle), (begin, middle), "quiet"),
            line((begin, middle), (back, middle), "orange thick dots"),
            line((back, middle), (end, middle), "quiet"),
            text(((begin + back) / 2, middle - 12), "offline", "orange", anchor="middle"),
        ]
    else:
        shapes.append(line((140, middle), (end, middle), "quiet"))
    shapes.append(arrow((end, middle), (578, middle), "quiet"))
    number = 0
    for hour in _HOURS:
        if is_offline and _OFFLINE[0] < hour < _OFFLINE[1]:
            continue
        number += 1
        is_late = is_offline and hour - 1 < _OFFLINE[1] < hour
        shapes += _delivery((_at(hour) + 6, middle), number, is_late=is_late)
    return shapes


def _delivery(at: Point, number: int, *, is_late: bool) -> list[str]:
    x, y = at
    return [
        disc(at, 11 if is_late else 6, "blue" if is_late else "green"),
        text((x, y - 16 if is_late else y - 12), f"{number}", "strong blue" if is_late else "small", anchor="middle"),
    ]


def _centre(top: float, high: float) -> list[str]:
    """Draw the centre with what it does, in order."""
    steps = (
        ("store collect", "in any order"),
        ("drift-check", "each camera by itself"),
        ("export-metrics", "for Prometheus"),
    )
    shapes = [box((584, top), 152, high, "wash")]
    for place, (command, words) in enumerate(steps):
        y = top + 24 + place * 54
        shapes += [text((596, y), command, "strong"), text((596, y + 17), words, "small quiet")]
        if place:
            shapes.append(arrow((600, y - 30), (600, y - 15), "quiet"))
    return shapes
