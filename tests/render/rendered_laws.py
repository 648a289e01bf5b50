"""Laws of whatever is rendered from a valid configuration: each function answers how a stack breaks one."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML

from facemon.config.document import Config
from facemon.config.loader import parse_config
from facemon.render.alert_rules import alert_rules, alerts_of
from facemon.render.alertmanager_config import alertmanager_config
from facemon.render.dashboards.importable import importable
from facemon.render.lint import lint
from facemon.render.placed_dashboards import dashboards
from facemon.render.prometheus_config import prometheus_config
from facemon.render.recording_rules import recording_rules
from facemon.render.rendered_content import panels
from facemon.render.rule_tests import rule_tests
from facemon.render.secret_files import all_secrets
from facemon.render.stack import RenderedStack, render_stack
from facemon.render.verification import Outcome, verify
from tests.render.configurations import config_of
from tests.render.random_configurations import sampled
from tests.short_form import some_of

_DIGEST = """
import sys
from tests.render.rendered_laws import digest, rendered
print(digest(rendered(int(sys.argv[1]), int(sys.argv[2]))))
"""
_SECRET = "hush-{number}-hush"
PanelIds = dict[tuple[str, str, str], int]


def read_otherwise(config: Config, stack: RenderedStack) -> Iterator[str]:
    """Files that PyYAML, a reader of YAML 1.2 or a reader of JSON takes for something else than what was built."""
    built = dict(_built(config))
    for path, text in stack.files.items():
        if path.endswith(".json"):
            if json.loads(text, object_pairs_hook=_without_doubles) != built[path]:
                yield f"{path}: JSON"
        elif path.endswith((".yml", ".yaml")):
            old = list(yaml.load_all(text, Loader=yaml.CSafeLoader))
            # It refuses keys that stand twice, too; long tests are left to promtool, which reads as it does.
            if "/tests/" not in path and old != list(YAML(typ="safe", pure=True).load_all(text)):
                yield f"{path}: YAML 1.1 and 1.2 differ"
            if path in built and old != [built[path]]:
                yield f"{path}: YAML"


def _built(config: Config) -> Iterator[tuple[str, Any]]:
    prometheus = "monitoring/prometheus"
    yield f"{prometheus}/prometheus.yml", prometheus_config(config)
    yield f"{prometheus}/recording_rules.yml", recording_rules(config)
    yield f"{prometheus}/alert_rules.yml", alert_rules(config)
    for name, content in rule_tests(alerts_of(config), config).items():
        yield f"{prometheus}/tests/{name}", content
    yield "monitoring/alertmanager/alertmanager.yml", alertmanager_config(config)
    for name, built in dashboards(config).items():
        yield f"monitoring/grafana/dashboards/{name}", built
        yield f"monitoring/grafana/import/{name}", importable(built)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs), "a key stands twice"
    return dict(pairs)


def secrets_told(text: str, folder: Path) -> Iterator[str]:
    """Rendered files that hold what stands in one of the secrets' files, which lie in `folder` and are found there."""
    config = parse_config(text, name="facemon.yaml", directory=folder / "conf")
    markers = []
    for number, name in enumerate(all_secrets(config)):
        if not Path(name).is_absolute():
            markers.append(_SECRET.format(number=number))
            file = (folder / "conf" / name).resolve()
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(markers[-1])
    for path, content in render_stack(config).files.items():
        yield from (f"{path}: a secret" for marker in markers if marker in content)


def linted(config: Config, stack: RenderedStack) -> Iterator[str]:
    """What the lint says."""
    yield from (str(finding) for finding in lint(stack, config))


def renumbered(stack: RenderedStack, known: PanelIds) -> Iterator[str]:
    """Panels whose id is another one than in the configurations before; `known` grows."""
    for path, text in stack.files.items():
        if path.endswith(".json"):
            for _, panel in panels(json.loads(text)):
                title = panel["title"] or panel["options"]["content"]  # what to do in a section has no title
                if known.setdefault((path, panel["type"], title), panel["id"]) != panel["id"]:
                    yield f"{path}: {title} has the id {panel['id']}"


def with_fewer_tests(stack: RenderedStack, share: int, at_length: bool) -> RenderedStack:
    """Return the stack with some of its files of rule tests, of which promtool evaluates each for seconds."""
    tests = [path for path in stack.files if "/prometheus/tests/" in path]
    left_out = set(tests) - set(some_of(tests, share, at_length))
    return replace(stack, files={path: text for path, text in stack.files.items() if path not in left_out})


def refused(stack: RenderedStack, tools: Path) -> Iterator[str]:
    """What the real tools do not accept."""
    for answer in verify(stack, tools / "usr/bin"):
        if answer.outcome is not Outcome.ACCEPTED:
            yield f"{answer.what}: {answer.outcome.value} {answer.detail}"


def digest(stacks: Iterable[RenderedStack]) -> str:
    """The hash of every file of these stacks."""
    hashed = sha256()
    for stack in stacks:
        for path, content in stack.files.items():
            hashed.update(f"{path}\0{content}\0".encode())
    return hashed.hexdigest()


def rendered(count: int, seed: int) -> Iterator[RenderedStack]:
    """The stacks of so many configurations."""
    return (render_stack(config_of(text)) for text in sampled(count, seed))


def digest_elsewhere(count: int, seed: int) -> str:
    """The hash of so many stacks from another process, in which sets have another order."""
    environment = os.environ | {"PYTHONHASHSEED": "12345"}
    command = [sys.executable, "-c", _DIGEST, str(count), str(seed)]
    outcome = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return outcome.stdout.strip()


def first(broken: Iterable[str], most: int = 5) -> list[str]:
    """The first few of what breaks a law."""
    return [line for line, _ in zip(broken, range(most), strict=False)]
