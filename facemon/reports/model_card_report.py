"""The card of a model as tables, with its known weaknesses."""

from collections.abc import Iterator, Mapping
from typing import Any

from facemon.finders.registry import FINDERS
from facemon.reports.printed_parts import Part, Table

_FACTS = ("what", "value")


def model_card_report(card: Mapping[str, Any]) -> Iterator[Part]:
    """Yield an object of `facemon.model/1` as tables of facts, the attributes, and what the model is not for."""
    faces = _listed({key: value for key, value in card["faces"].items() if key not in ("finder", "detector")})
    finder = FINDERS[card["faces"]["finder"]]
    facts = (
        ("model", card["model"]),
        ("licence", card["licence"] or "not described: model.card.licence"),
        ("source", card["source"] or "not described: model.card.source"),
        ("faces", f"{finder.name}: {faces}" if finder.has_boxes else "each image is one face"),
        ("decoding", card["decode"]),
        ("fingerprint", card["fingerprint"]),
    )
    yield Table(_FACTS, facts)
    if detector := card["faces"].get("detector"):
        sections = ((key, _listed(value) if isinstance(value, dict) else str(value)) for key, value in detector.items())
        yield Table(_FACTS, tuple(sections), "face detector")
    for network in card["networks"]:
        where = f"{network['package']}/{network['path']}" if network["package"] else network["path"]
        yield Table(_FACTS, tuple(_network_facts(network)), f"network {where}")
    rows = (
        (each["name"], each["kind"], ", ".join(each["labels"]) or "-", _reading(each)) for each in card["attributes"]
    )
    yield Table(("attribute", "kind", "labels", "read from"), tuple(rows))
    for title, key in (("Known weaknesses", "weaknesses"), ("Not for", "not_for")):
        lines = card[key] or [f"not described: model.card.{key}"]
        yield "\n".join([f"{title}:", *(f"  - {line}" for line in lines)])


def _network_facts(network: Mapping[str, Any]) -> list[tuple[str, str]]:
    seen = network["input"]
    width, height = seen["size"]
    mean, std = (", ".join(f"{number:g}" for number in seen[key]) for key in ("mean", "std"))
    return [
        ("sha256", network["sha256"]),
        ("size", f"{network['bytes']} bytes"),
        ("input", f"{width} x {height} {_channels(seen)}, {seen['layout']}, {_fit(seen)}, {_filters(seen)}"),
        ("pixels", f"(pixel * {seen['scale']:.6g} - mean) / std, mean {mean}, std {std}"),
        *((key, _listed(network[key])) for key in ("crop", "align") if network[key]),
        *[("faces", "one at a time: answers depend on the others of a batch")][: network["faces_alone"]],
        *(("takes", tensor) for tensor in network["tensors"]["inputs"]),
        *(("answers", tensor) for tensor in network["tensors"]["outputs"]),
    ]


def _listed(section: Mapping[str, Any]) -> str:
    """A section of the configuration in a line."""
    return ", ".join(f"{key} {_shown(value)}" for key, value in section.items() if value != [])


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return f"({_listed(value)})"
    return f"[{', '.join(map(_shown, value))}]" if isinstance(value, list) else str(value)


def _channels(seen: Mapping[str, Any]) -> str:
    gray = seen["gray"]
    return f"gray by {gray['by']} {gray['when']} resizing" if gray else str(seen["channels"])


def _filters(seen: Mapping[str, Any]) -> str:
    return f"{seen['resample']}, {seen['enlarge']} to enlarge" if seen["enlarge"] else str(seen["resample"])


def _fit(seen: Mapping[str, Any]) -> str:
    if seen["shorter_side"]:
        return f"the middle of {seen['shorter_side']} pixels along the shorter side"
    if not seen["pad"]:
        return str(seen["fit"])
    red, green, blue = seen["pad"]["colour"]
    return f"pad with ({red}, {green}, {blue}) {'on both sides' if seen['pad']['side'] == 'centre' else 'at the end'}"


def _reading(attribute: Mapping[str, Any]) -> str:
    activation = "" if attribute["activation"] == "none" else f", {attribute['activation']}"
    threshold = f", from {attribute['threshold']:g} on" if "threshold" in attribute else ""
    scale, offset = attribute.get("scale", 1), attribute.get("offset", 0)
    scaled = f", * {scale:g} {'-' if offset < 0 else '+'} {abs(offset):g}" if (scale, offset) != (1, 0) else ""
    average = ", averaged over networks" if "average" in attribute else ""
    return f"{attribute['output']}{activation}{threshold}{scaled}{average}"
