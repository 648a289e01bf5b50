"""A model of one attribute with its facemon.yaml, images and two days of rows, to try a kind or a finder by hand.

    .venv/bin/python -m tests.acceptance.trial FOLDER "kind: number, scale: 2" ["finder: none"]
    facemon predict -q 2026-11-01.jsonl -o first.jsonl      # the same of 2026-11-02.jsonl, in FOLDER
    facemon reference set --since 2026-11-01 --until 2026-11-02
    facemon drift-check --since 2026-11-02 --until 2026-11-03 --record
    facemon export-metrics

The network's outputs, as many as the kind reads, are the shares of red, green and blue in what it sees, times 9.
"""

import json
import sys
from pathlib import Path

import yaml

from facemon.config.attribute import AttributeConfig
from facemon.domain.kinds.registry import kind_of
from tests.acceptance.small_model import small_config
from tests.model.onnx_files import flat_image, write_reducing_model

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "gray": (90, 90, 90)}
DAYS = {"2026-11-01": ("red", "green"), "2026-11-02": ("blue", "gray")}


def write_trial(folder: Path, kind: str, faces: str = "finder: none") -> None:
    """Write m.onnx, facemon.yaml, photos/ and a manifest for each day; FOLDER must not have photos yet."""
    attribute = f"name: trial, output: trial, {kind}"
    described = AttributeConfig.model_validate(yaml.safe_load(f"{{{attribute}}}"))
    width = kind_of(described).widths(described)[0]
    (folder / "photos").mkdir(parents=True)
    rows = [[9.0 * (number % 3 == channel) for number in range(width)] for channel in range(3)]
    write_reducing_model(folder / "m.onnx", {"trial": rows})
    config = small_config(attribute).replace("  networks:", f"  faces: {{{faces}}}\n  networks:")
    (folder / "facemon.yaml").write_text(config + "drift: {evidently: {when: never}}\n")
    for name, colour in COLOURS.items():
        flat_image(folder / f"photos/{name}.png", colour)
    for day, names in DAYS.items():
        lines = [
            json.dumps({"image": f"photos/{names[at % 2]}.png", "observed_at": f"{day}T{at // 2 % 20:02}:30:00Z"})
            for at in range(400)
        ]
        (folder / f"{day}.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    write_trial(Path(sys.argv[1]), *sys.argv[2:])
