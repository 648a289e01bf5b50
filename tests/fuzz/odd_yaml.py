"""Random configuration texts, valid YAML and nearly so, with odd values; the same for the same seed."""

import re
from pathlib import Path
from random import Random

from facemon.config.loader import parse_config
from facemon.errors import ConfigError
from tests.render.random_configurations import sampled as sampled_configurations

_VALUES = [
    "9" * 5000, "0x" + "f" * 5000, "1:" * 300 + "1", "-" + "9" * 19, "0b1", "010", "1e999", ".nan", "-.inf", "~", "",
    "yes", "2026-11-29", "2026-13-45", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "12:30", "[]", "{}",
    "[a, b]", "{a: b}", "*a", "&a [*a]", "!!python/object/apply:os.system [x]", "!x y", "<<", "=", '"\\0"', '"\\uD800"',
    '"\\U00110000"', '"\\x1b[31m"', "\u202ea", "\ufeff", "a: b: c", "'", '"', "|\n  x", "999999999d", "9" * 30 + "GiB",
    "99999999999w", "0s", "-1s", "https://h/x?token=y", "https://u:p@h/", "/dev/zero", "x" * 5000, "[" * 60, "{" * 60,
    "? [a]\n: b", "%YAML 1.2", "--- x", "...", "# x", "\t", "a\tb", "\u0085", "\u2028",
    "9223372036854775807", "1.5", "-1",
]  # fmt: skip
_SECTIONS = (
    "version", "model", "store", "predict", "tables", "drift", "evaluate", "metrics", "api", "exporter", "prometheus",
    "alerts", "alertmanager", "grafana", "stack", "schedule",
)  # fmt: skip
_KEYS = (
    "path", "retention_days", "threads", "max_bytes", "window", "widen_to", "on_drift", "listen", "timeout", "workers",
    "probes", "collectors", "columns", "values", "csv", "encoding", "labels", "targets", "remote_write", "replicas",
    "receivers", "routes", "custom", "objectives", "bundle", "name", "networks", "faces", "threshold", "directory",
)  # fmt: skip


_PLACED = re.compile(r"facemon\.yaml:(\d+:\d+: .+| and [\d,]+ faults more)")


def sampled(count: int, seed: int) -> list[str]:
    """The same `count` texts for the same `seed`, on every machine."""
    valid = sampled_configurations(20, seed)
    return [_text(Random(f"{seed}/{number}"), valid) for number in range(count)]


def why_refused(text: str) -> str | None:
    """The faults of a text, none where it is a configuration; any error but ConfigError is raised."""
    try:
        parse_config(text, name="facemon.yaml", directory=Path("/nowhere"))
    except ConfigError as error:
        return error.message
    return None


def has_place(line: str) -> bool:
    """Whether a line of a refusal says where its fault is."""
    return _PLACED.fullmatch(line) is not None


def _text(random: Random, valid: list[str]) -> str:
    if random.random() < 0.5:
        return _mutated(random, random.choice(valid))
    lines = []
    for section in random.sample(_SECTIONS, random.randint(1, 4)):
        if random.random() < 0.3:
            lines.append(f"{section}: {random.choice(_VALUES)}")
            continue
        lines.append(f"{section}:")
        lines += [f"  {_key(random)}: {random.choice(_VALUES)}" for _ in range(random.randint(1, 4))]
    return "\n".join(lines) + random.choice(["", "\n"])


def _key(random: Random) -> str:
    return random.choice(_KEYS) if random.random() < 0.9 else random.choice(_VALUES)


def _mutated(random: Random, text: str) -> str:
    """A valid text with values replaced, and sometimes with damage to its characters."""
    lines = text.splitlines()
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(lines))
        head, colon, _ = lines[at].partition(": ")
        lines[at] = f"{head}: {random.choice(_VALUES)}" if colon else lines[at] + random.choice(_VALUES)
    mutated = "\n".join(lines)
    if random.random() < 0.3:
        at = random.randrange(len(mutated))
        mutated = (
            mutated[:at] + random.choice(["", "\0", "\x1b", "{", "}", ":", "\n", "\t", "&a ", "*a"]) + mutated[at + 1 :]
        )
    return mutated
