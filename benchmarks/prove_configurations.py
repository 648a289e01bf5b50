"""A thousand random valid configurations: what is rendered means the same to every reader, and tells no secret."""

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.machine import Line
from facemon.render.purpose import fitted
from facemon.render.stack import RenderedStack, render_stack
from tests.render.configurations import DIRECTORY, config_of
from tests.render.random_configurations import sampled
from tests.render.rendered_laws import (
    PanelIds,
    digest,
    digest_elsewhere,
    first,
    linted,
    read_otherwise,
    refused,
    renumbered,
    secrets_told,
)

ABOUT = """\
A thousand valid configurations over every key of the stack, with texts that break naive writers, from a fixed seed.
Every file is read back (PyYAML, a reader of YAML 1.2, JSON) and compared with what was built; the secrets' files hold
markers. promtool runs `check config`, `check rules` and every rendered test, amtool `check-config` and the route tests.
"""
COUNT, WITH_TOOLS, SEED = 1000, 50, 1
_TOOLS = Path(__file__).parents[1] / ".tools"
_OLDEST = (0, 25)


def measure(folder: Path) -> Iterator[Line]:
    """Render each configuration, hold it against every law, and a sample against the real tools."""
    broken: dict[str, list[str]] = {
        law: [] for law in ("read otherwise than built", "faults by the lint", "panels with another id", "secrets told")
    }
    texts = sampled(COUNT, SEED)
    begin = time.process_time()
    here = digest(_held_against_laws(texts, folder, broken))
    seconds = time.process_time() - begin
    yield Line("configurations rendered", f"{len(texts)}", f"{COUNT}", len(texts) == COUNT,
               f"{seconds / COUNT:.2f} s of CPU for each, with every law")  # fmt: skip
    for law, faults in broken.items():
        yield Line(law, f"{len(faults)}", "0", not faults, faults[0] if faults else "")
    same = here == digest_elsewhere(COUNT, SEED)
    yield Line("the same bytes from another process", "yes" if same else "no", "yes", same)
    sample = texts[:WITH_TOOLS]
    yield _accepted("Prometheus 3 and a current Alertmanager", "newer_servers", sample)
    yield _accepted(
        "Debian 12's, which are for the oldest target version", "servers", [t for t in sample if _is_old(t)]
    )


def _held_against_laws(texts: list[str], folder: Path, broken: dict[str, list[str]]) -> Iterator[RenderedStack]:
    known: PanelIds = {}
    for number, text in enumerate(texts):
        config = fitted(config_of(text), DIRECTORY)
        stack = render_stack(config)
        found = (
            read_otherwise(config, stack),
            linted(config, stack),
            renumbered(stack, known),
            secrets_told(text, folder / str(number)),
        )
        for faults, law in zip(found, broken, strict=True):
            broken[law].extend(faults)
        yield stack


def _is_old(text: str) -> bool:
    return config_of(text).alertmanager.version == _OLDEST


def _accepted(which: str, tools: str, texts: list[str]) -> Line:
    """How many stacks promtool and amtool accept, with every rendered test."""
    found = [first(refused(render_stack(config_of(text)), _TOOLS / tools), most=1) for text in texts]
    faults = [fault.splitlines()[0] for faults in found for fault in faults]
    accepted = len(texts) - len(faults)
    return Line(f"accepted by promtool and amtool: {which}", f"{accepted}", f"{len(texts)}",
                bool(texts) and not faults, faults[0] if faults else "")  # fmt: skip
