"""Random manifests with odd lines among good ones, the same for the same seed."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from facemon.config.drift import TablesConfig
from facemon.domain.image_input import ImageInput
from facemon.errors import FacemonError
from facemon.predict.image_source import ImageSource

_CELLS = [
    b"b\xe9ton", b"\xff\xfe", b"\xed\xa0\x80", "Z\u00fcrich".encode(), "\u202eabc".encode(), b"\x1b[2J", b"a\0b", b"",
    b"-1", b"1e999", b"NaN", b"9" * 5000, b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59-14:00", b"2026-02-30",
    b"[0,0,NaN,1]", b"1 2 3", b"1e308 0 0 0", b"../../../etc/passwd", b"/dev/zero", b"=cmd()", b"x" * 5000, b" ",
    b"x" * 200_000,
]  # fmt: skip
_QUOTES = [b'"a.jpg', b'a"b', b'"a"b', b'"""', b'"', b'"a,b']
_VALUES = [
    '"\\ud800x"', '"\\udce9"', '"\\udfff"', '"a\\u0000b"', '"x\\ny"', "9" * 5000, "1e400", "-0.0", "NaN", "true", "[]",
    "{}", "null", '"' + "s" * 300_000 + '"', "[" * 500 + "]" * 500, "[0,0,NaN,1]", '{"a":1}', "[0,0,1e308,1]",
    "[1,2,3,4,5]", '"2026-13-01"', "1700000000", "[" * 100_000, "{" * 100_000, "1" + "0" * 4000,
]  # fmt: skip
_JSON_COLUMNS = ("image", "source", "observed_at", "image_id", "box")
_ENCODINGS = (None, None, "latin-1", "cp1252", "shift_jis", "iso2022_jp")


@dataclass(frozen=True, slots=True)
class OddManifest:
    """A file, how it is said to be encoded, and the names that good lines of it give."""

    name: str
    content: bytes
    encoding: str | None
    good: tuple[str, ...]

    @property
    def tables(self) -> TablesConfig:
        """The configuration that it is read with."""
        return TablesConfig.model_validate({"csv": {"encoding": self.encoding}})


def sampled(count: int, seed: int) -> list[OddManifest]:
    """The same `count` manifests for the same `seed`, on every machine."""
    return [_manifest(Random(f"{seed}/{number}"), number) for number in range(count)]


def inputs_of(manifest: OddManifest, folder: Path) -> list[ImageInput] | None:
    """What a manifest names, none where it is refused as a whole; any other error is raised."""
    file = folder / manifest.name
    file.write_bytes(manifest.content)
    try:
        return list(ImageSource([str(file)], tables=manifest.tables))
    except FacemonError:
        return None


def lost_lines(manifest: OddManifest, inputs: Iterable[ImageInput]) -> list[str]:
    """The good lines that did not become inputs without a problem."""
    found = {each.name for each in inputs if each.problem is None}
    return [name for name in manifest.good if name not in found]


def _manifest(random: Random, number: int) -> OddManifest:
    is_json, count = random.random() < 0.5, random.randint(1, 8)
    quotes_left = 1  # two quotation marks may enclose what is between them, which is then one cell
    lines: list[bytes] = []
    good: list[str] = []
    for place in range(count):
        if place == 0 or random.random() < 0.5:  # the first line of JSON tells the columns
            good.append(f"good-{place}.jpg")
            lines.append(_good_line(good[-1], is_json))
        elif is_json:
            lines.append(_odd_json(random))
        else:
            line, quotes_left = _odd_csv(random, quotes_left)
            lines.append(line)
    head = [] if is_json else [b"image,source,observed_at,image_id,box"]
    end = random.choice([b"\n", b"\n", b"\r\n"])
    content = end.join([*head, *lines]) + random.choice([b"", end])
    suffix = "jsonl" if is_json else "csv"
    return OddManifest(f"m{number}.{suffix}", content, random.choice(_ENCODINGS), tuple(good))


def _good_line(name: str, is_json: bool) -> bytes:
    return json.dumps({"image": name, "source": "gate"}).encode() if is_json else f"{name},gate,,,".encode()


def _odd_json(random: Random) -> bytes:
    if random.random() < 0.3:
        return random.choice([random.randbytes(30).replace(b"\n", b"").replace(b"\r", b""), b"[", b"1", b'"x"', b"{"])
    pairs = [(column, random.choice(_VALUES)) for column in _JSON_COLUMNS if random.random() < 0.5]
    line = "{" + ", ".join(f'"{column}": {value}' for column, value in pairs) + "}"
    return line.encode() if random.random() < 0.8 else line.encode()[: random.randrange(len(line))]


def _odd_csv(random: Random, quotes_left: int) -> tuple[bytes, int]:
    if quotes_left and random.random() < 0.3:
        return random.choice(_QUOTES) + b",gate,,,", quotes_left - 1
    if random.random() < 0.2:
        noise = random.randbytes(30)
        return bytes(byte for byte in noise if byte not in b'\n\r"'), quotes_left
    return b",".join(random.choice(_CELLS) for _ in range(random.choice((1, 5, 5, 5, 6)))), quotes_left
