"""`facemon model`: what the configured model is, and whether its description is right."""

from collections.abc import Mapping
from typing import Any

import typer

from facemon.cli.command import command, group
from facemon.cli.model_check import check
from facemon.cli.print_format import FormatOption, PrintFormat
from facemon.cli.session import Session
from facemon.errors import ExitCode

app = typer.Typer()
model = group(app, "model", "Look at the model.")
command(model, "check")(check)


@command(model, "show")
def show(
    session: Session,
    format_: FormatOption = PrintFormat.TEXT,
) -> ExitCode:
    """Print the model card: networks, inputs, attributes, hashes, licence and known weaknesses."""
    from facemon.model.bundle import load_bundle
    from facemon.model.model_card import model_card

    card = model_card(load_bundle(session.config.model, session.config.predict))
    if format_ is PrintFormat.JSON:
        session.console.document(card, indent=2)
    else:
        _print(session, card)
    return ExitCode.OK


def _print(session: Session, card: Mapping[str, Any]) -> None:
    console = session.console
    faces = _listed({key: value for key, value in card["faces"].items() if key not in ("finder", "detector")})
    finder = card["faces"]["finder"]
    facts = [
        ("model", card["model"]),
        ("licence", card["licence"] or "not described: model.card.licence"),
        ("source", card["source"] or "not described: model.card.source"),
        ("faces", "each image is one face" if finder == "none" else f"{finder}: {faces}"),
        ("decoding", card["decode"]),
        ("fingerprint", card["fingerprint"]),
    ]
    console.table(("what", "value"), facts)
    if detector := card["faces"].get("detector"):
        sections = [(key, _listed(value) if isinstance(value, dict) else str(value)) for key, value in detector.items()]
        console.table(("what", "value"), sections, title="face detector")
    for network in card["networks"]:
        where = f"{network['package']}/{network['path']}" if network["package"] else network["path"]
        console.table(("what", "value"), _network_facts(network), title=f"network {where}")
    rows = [
        (each["name"], each["kind"], ", ".join(each["labels"]) or "-", _reading(each)) for each in card["attributes"]
    ]
    console.table(("attribute", "kind", "labels", "read from"), rows)
    for title, key in (("Known weaknesses", "weaknesses"), ("Not for", "not_for")):
        lines = card[key] or [f"not described: model.card.{key}"]
        console.result("\n".join([f"{title}:", *(f"  - {line}" for line in lines)]))


def _network_facts(network: Mapping[str, Any]) -> list[tuple[str, str]]:
    seen = network["input"]
    width, height = seen["size"]
    mean, std = (", ".join(f"{number:g}" for number in seen[key]) for key in ("mean", "std"))
    return [
        ("sha256", network["sha256"]),
        ("size", f"{network['bytes']} bytes"),
        ("input", f"{width} x {height} {_channels(seen)}, {seen['layout']}, {_fit(seen)}, {seen['resample']}"),
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
